import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { find, mark, parseLine, plainText, styleClass } from './ansi';

const texts = (line: string) => parseLine(line).runs.map((r) => [r.text, styleClass(r.style)]);

test('colours and weights become classes, and go on until they are taken back', () => {
  expect(texts('a\u001b[31mb\u001b[1mc\u001b[22md\u001b[39me')).toEqual([
    ['a', ''],
    ['b', 'ansi-f1'],
    ['c', 'ansi-f1 ansi-bold'],
    ['d', 'ansi-f1'],
    ['e', ''],
  ]);
  expect(texts('\u001b[1;4;92mx\u001b[my')).toEqual([
    ['x', 'ansi-f10 ansi-bold ansi-underline'],
    ['y', ''],
  ]);
  expect(parseLine('\u001b[32mx').end).toEqual({ fg: 2 });
  expect(parseLine('y', { fg: 2 }).runs).toEqual([{ text: 'y', style: { fg: 2 } }]);
  expect(texts('\u009b33mx')).toEqual([['x', 'ansi-f3']]);
});

test('of large palettes only the small colours count, and their parameters are none of their own', () => {
  expect(texts('\u001b[38;5;12mx')).toEqual([['x', 'ansi-f12']]);
  expect(texts('\u001b[38;5;200;1mx')).toEqual([['x', 'ansi-bold']]);
  expect(texts('\u001b[38;2;31;32;33;4mx')).toEqual([['x', 'ansi-underline']]);
  expect(texts('\u001b[38:5:3mx')).toEqual([['x', 'ansi-f3']]);
  expect(texts('\u001b[48;5;1;97mx')).toEqual([['x', 'ansi-b1']]);
});

test('what is written on a ground, or with both turned round, has the ink of texts', () => {
  expect(texts('\u001b[41;31mx')).toEqual([['x', 'ansi-b1']]);
  expect(texts('\u001b[7mx')).toEqual([['x', 'ansi-b7']]);
  expect(texts('\u001b[7;31mx')).toEqual([['x', 'ansi-b1']]);
});

test.each([
  ['\u001b[2Ja\u001b[10;10Hb\u001b[?25lc', 'abc'],
  ['\u001b]0;title\u0007a\u001b]8;;http://evil\u001b\\link\u001b]8;;\u001b\\', 'alink'],
  ['\u001bPdevice\u001b\\a\u001b^private\u009cb', 'ab'],
  ['\u001bca\u001b(Bb\u001b=c', 'abc'],
  // What does not end hides nothing.
  ['\u001b]0;hidden text', '0;hidden text'],
  ['a\u001b[31', 'a'],
  ['a\u001b', 'a'],
  ['\u001b[>4;2mx', 'x'],
])('commands of terminals are taken out of %j', (line, text) => {
  expect(plainText(line)).toBe(text);
  expect(
    parseLine(line)
      .runs.map((r) => r.text)
      .join(''),
  ).toBe(text);
  expect(parseLine(line).end).toEqual({});
});

// Small numbers in a row that are the same in each run.
function dice(seed: number) {
  let state = seed;
  return (n: number) => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

test('whatever a line holds, no escape is left, runs are the plain text, and classes are known ones', () => {
  const parts = [
    '\u001b',
    '[',
    ']',
    'm',
    ';',
    '38',
    '5',
    '2',
    '1',
    '31',
    '\u0007',
    '\\',
    'P',
    '?',
    '\u009b',
    '\u009d',
    ' ',
    'x',
    '文',
    '\u202e',
  ];
  const roll = dice(7);
  for (let i = 0; i < 5000; i++) {
    const line = Array.from({ length: roll(24) }, () => parts[roll(parts.length)]).join('');
    const { runs, end } = parseLine(line, { fg: 1 });
    const text = runs.map((r) => r.text).join('');
    expect(text, JSON.stringify(line)).toBe(plainText(line));
    expect(
      [...text].filter((c) => c === '\u001b' || c === '\u009b'),
      JSON.stringify(line),
    ).toEqual([]);
    // Whatever is no part of a command stays.
    expect(text.match(/文/g)?.length ?? 0).toBeLessThanOrEqual(line.match(/文/g)?.length ?? 0);
    for (const run of [...runs, { text: '', style: end }]) {
      expect(styleClass(run.style)).toMatch(/^(ansi-(f|b)\d+|ansi-(bold|dim|italic|underline|strike)|^)?( ansi-\w+)*$/);
    }
  }
});

test('a long line of beginnings of commands is read in no time that grows with its square', () => {
  const line = '\u009d'.repeat(300_000);
  expect(plainText(line)).toBe('');
});

test('finds are marked across styles, whatever the case', () => {
  const { runs } = parseLine('an Er\u001b[31mror, an ERROR');
  expect(mark(runs, 'error').map((r) => [r.text, r.hit])).toEqual([
    ['an ', false],
    ['Er', true],
    ['ror', true],
    [', an ', false],
    ['ERROR', true],
  ]);
  expect(mark(runs, '').every((r) => !r.hit)).toBe(true);
  expect(find('aaaa', 'aa')).toEqual([0, 2]);
  // A letter whose small form is longer moves no place.
  expect(find('İstanbul error', 'ERROR')).toEqual([9]);
});

const css = ['src/ui/tokens.css', 'src/node/node.css'].map((f) => readFileSync(f, 'utf8')).join('\n');
const tokens = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map((m) => [m[1], [m[2], m[3]]]),
);

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const c = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const pairs: [string, string][] = [
  ...['log-ground', 'hover', 'chosen'].flatMap((g) =>
    ['ink', 'muted', 'suspended', ...Array.from({ length: 16 }, (_, i) => `ansi-${i}`)].map(
      (t) => [t, g] as [string, string],
    ),
  ),
  ...Array.from({ length: 8 }, (_, i) => ['ink', `ansi-ground-${i}`] as [string, string]),
  ['ink', 'find'],
];

test.each(pairs)('%s on %s can be read in both themes', (front, back) => {
  for (const theme of [0, 1]) {
    const [a, b] = [tokens.get(front)?.[theme], tokens.get(back)?.[theme]];
    if (!a || !b) throw new Error(`no colour ${front} or ${back}`);
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
    expect((high + 0.05) / (low + 0.05), `theme ${theme}`).toBeGreaterThanOrEqual(4.5);
  }
});
