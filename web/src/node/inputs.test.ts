import { expect, test } from 'vitest';
import { changes, diffLines, equal, fieldsOf, type InputField, near, readFields, turn, valueLines } from './inputs';

const field = (id: number, key: string, text: string, json = false): InputField => ({ id, key, text, json });

test('inputs survive being edited: texts as texts, the rest as JSON', () => {
  const inputs = { a: 'x\ny', n: 1, o: { k: [true, null] }, t: '1' };
  const fields = fieldsOf(inputs);
  expect(fields.map((f) => f.json)).toEqual([false, true, true, false]);
  expect(readFields(fields).inputs).toEqual(inputs);
  // A key of the prototype is a key like any other.
  const odd = readFields([field(0, '__proto__', 'x')]).inputs ?? {};
  expect(Object.keys(odd)).toEqual(['__proto__']);
});

test('each fault is told of its field', () => {
  const read = readFields([
    field(0, '', 'x'),
    field(1, 'a', '{"b":', true),
    field(2, 'a', 'y'),
    field(3, 'pw', '******'),
    field(4, 'deep', '{"in":["******"]}', true),
    field(5, 'good', '{"b":1}', true),
  ]);
  expect(read.inputs).toBeUndefined();
  expect([...read.faults.keys()]).toEqual([0, 1, 2, 3, 4]);
  expect(read.faults.get(0)).toBe('noKey');
  expect(read.faults.get(1)).toHaveProperty('json');
  expect(read.faults.get(2)).toBe('twice');
  expect(read.faults.get(3)).toBe('hidden');
  expect(read.faults.get(4)).toBe('hidden');
});

test('text turns to JSON and back', () => {
  const json = turn(field(0, 'a', 'say "x"'));
  expect(json).toMatchObject({ json: true, text: '"say \\"x\\""' });
  expect(turn(json)).toMatchObject({ json: false, text: 'say "x"' });
  expect(turn(field(0, 'a', '[1]', true))).toMatchObject({ json: false, text: '[1]' });
});

test('what changes: other values, new ones, those that are gone; not the order of keys', () => {
  expect(
    changes(
      { a: 1, same: { x: 1, y: [2] }, gone: 'g', kind: 1 },
      { same: { y: [2], x: 1 }, a: 2, new: null, kind: '1' },
    ),
  ).toEqual([
    { key: 'a', before: 1, after: 2 },
    { key: 'new', after: null },
    { key: 'kind', before: 1, after: '1' },
    { key: 'gone', before: 'g' },
  ]);
  expect(equal([1], { 0: 1 })).toBe(false);
  expect(equal({ a: 1 }, { b: 1 })).toBe(false);
});

const apply = (lines: ReturnType<typeof diffLines>, sign: '-' | '+') =>
  lines.filter((l) => l.sign === ' ' || l.sign === sign).map((l) => l.text);

test('a comparison has both sides, and no more changes than needed', () => {
  const before = valueLines('a\nb\nc\nd\ne');
  const after = valueLines('a\nc\nx\nd\ne\nf');
  const lines = diffLines(before, after);
  expect(apply(lines, '-')).toEqual(before);
  expect(apply(lines, '+')).toEqual(after);
  expect(lines.filter((l) => l.sign !== ' ').map((l) => l.sign + l.text)).toEqual(['-b', '+x', '+f']);
});

test('comparisons of anything hold both sides', () => {
  let seed = 3;
  const roll = (n: number) => {
    seed = (seed * 1664525 + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * n);
  };
  for (let i = 0; i < 500; i++) {
    const side = () => Array.from({ length: roll(9) }, () => 'abc'[roll(3)] as string);
    const [before, after] = [side(), side()];
    const lines = diffLines(before, after);
    expect(apply(lines, '-')).toEqual(before);
    expect(apply(lines, '+')).toEqual(after);
  }
  const large = Array.from({ length: 2000 }, (_, i) => `x${i}`);
  const other = Array.from({ length: 2000 }, (_, i) => (i === 7 ? 'x1000' : `y${i}`));
  const lines = diffLines(large, other);
  expect(apply(lines, '+')).toEqual(other);
  expect(lines.some((l) => l.sign === ' ')).toBe(false);
});

test('what is far from a change is left out', () => {
  const before = Array.from({ length: 30 }, (_, i) => `${i}`);
  const shown = near(diffLines(before, before.with(15, 'new')), 2);
  expect(shown.map((l) => l && l.sign + l.text)).toEqual([
    undefined,
    ' 13',
    ' 14',
    '-15',
    '+new',
    ' 16',
    ' 17',
    undefined,
  ]);
});
