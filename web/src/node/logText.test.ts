import { expect, test } from 'vitest';
import { bytes, LogText } from './logText';
import { cutBytes } from './useLog';

function feed(log: LogText, ...texts: string[]) {
  for (const text of texts) log.append(text, log.next + bytes(text));
}

test('lines are put together from what comes, however it is cut', () => {
  const whole = 'one\ntwo\r\n\r\nth\u00e9\rfour\n\nlast';
  for (let cut = 0; cut <= whole.length; cut++) {
    for (let second = cut; second <= whole.length; second++) {
      const log = new LogText();
      feed(log, whole.slice(0, cut), whole.slice(cut, second), whole.slice(second));
      expect(log.lines, `${cut} ${second}`).toEqual(['one', 'two', '', 'th\u00e9', 'four', '', 'last']);
      expect([log.start, log.next]).toEqual([0, bytes(whole)]);
    }
  }
});

test('a style goes on into the next lines, and a line that goes on has the one it began with', () => {
  const log = new LogText();
  feed(log, '\u001b[31mred\nst', 'ill\u001b[0m\nplain\n');
  expect([0, 1, 2].map((i) => log.style(i))).toEqual([{}, { fg: 1 }, {}]);
  expect(log.lines[1]).toBe('still\u001b[0m');
});

test('older text comes in front: numbers of lines stay, a cut line is whole again, colours reach down', () => {
  const all = '\u001b[32mfirst\nsecond\nthird\nfourth\n';
  for (let cut = 1; cut < all.length; cut++) {
    const log = new LogText();
    log.append(all.slice(cut), bytes(all));
    expect(log.start).toBe(cut);
    const before = log.lines.map((line, i) => [log.first + i, line] as const);
    log.prepend(all.slice(0, cut), 0);
    expect(log.lines).toEqual(['\u001b[32mfirst', 'second', 'third', 'fourth']);
    expect(log.style(3)).toEqual({ fg: 2 });
    expect(log.start).toBe(0);
    for (const [number, line] of before.slice(1)) expect(log.lines[number - log.first]).toBe(line);
    log.append('fifth', bytes(all) + 5);
    expect(log.lines.at(-1)).toBe('fifth');
  }
});

test('lines have the numbers that the log gives them, whatever is loaded in which order', () => {
  const log = new LogText();
  const middle = 'four\rstill four\r\nfive\n';
  log.append(middle, 100, 4);
  expect(log.numbers).toEqual([4, 4, 5]);
  log.append('six', 103);
  log.append(' on\nseven', 112);
  expect(log.numbers).toEqual([4, 4, 5, 6, 7]);
  log.prepend('ne\rtwo\nthree\n', 60);
  expect(log.lines).toEqual(['ne', 'two', 'three', 'four', 'still four', 'five', 'six on', 'seven']);
  expect(log.numbers).toEqual([2, 2, 3, 4, 4, 5, 6, 7]);
  log.prepend('one\no', 0);
  expect(log.numbers[0]).toBe(1);
  expect([1, 4, 7, 8, 0].map((n) => log.indexOf(n))).toEqual([0, 4, 8, -1, -1]);
});

test('a text is cut at a place in bytes', () => {
  expect(cutBytes('aé文', 3)).toBe('aé');
  expect(cutBytes('aé', 9)).toBe('aé');
});

test('a line is as old as the part in which it begins, whatever is loaded in which order', () => {
  const whole = 'one\ntwo\nth\u00e9ee\nfour\rfour again\nfive\n';
  const written = [
    { from: 4, at: 'a' },
    { from: 10, at: 'b' },
    { from: 20, at: 'c' },
  ];
  const of = (from: number, next: number) =>
    written.filter((t, i) => t.from < next && (written[i + 1]?.from ?? Number.POSITIVE_INFINITY) > from);
  const encoded = new TextEncoder().encode(whole);
  const part = (from: number, next: number) => new TextDecoder().decode(encoded.subarray(from, next));
  const want = [undefined, 'a', 'a', 'b', 'c', 'c'];
  const size = encoded.length;
  for (let cut = 1; cut < size; cut++) {
    if (cut === 11) continue; // inside of a character
    const down = new LogText();
    down.append(part(0, cut), cut);
    down.mark(0, of(0, cut));
    down.append(part(cut, size), size);
    down.mark(cut, of(cut, size));
    expect(
      down.lines.map((_, i) => down.time(i)),
      `cut at ${cut}`,
    ).toEqual(want);
    const up = new LogText();
    up.append(part(cut, size), size);
    up.mark(cut, of(cut, size));
    up.prepend(part(0, cut), 0);
    up.mark(0, of(0, cut));
    expect(
      up.lines.map((_, i) => up.time(i)),
      `cut at ${cut}`,
    ).toEqual(want);
    expect(up.times).toEqual(['a', 'c']);
  }
});

test('what was written without a time has none, also after what has one', () => {
  const log = new LogText();
  log.append('timed\n', 6);
  log.mark(0, [{ from: 0, at: 'a' }]);
  log.append('untimed\n', 14);
  log.mark(6);
  log.append('timed again\n', 26);
  log.mark(14, [{ from: 14, at: 'b' }]);
  expect([0, 1, 2].map((i) => log.time(i))).toEqual(['a', undefined, 'b']);
});
