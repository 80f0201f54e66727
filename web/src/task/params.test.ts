import { expect, test } from 'vitest';
import type { Json, TaskConstant } from '../api';
import { changedMeanwhile, draftsOf, newValues, paramChanges } from './params';

const constant = (key: string, value: Json, more: Partial<TaskConstant> = {}) =>
  ({ key, value, shown: true, changeable: true, ...more }) as TaskConstant;

const constants = [
  constant('${who}', 'ann'),
  constant('${fixed}', 'x', { changeable: false }),
  constant('${hosts}', ['a', 'b']),
  constant('${pw}', '******', { kind: 'password' }),
  constant('${blank}', '', { kind: 'password' }),
  constant('${mixed}', { user: 'ann', pw: '******' }),
];

test('what can be changed is edited, and secrets begin empty', () => {
  expect(draftsOf(constants).map(({ key, text, json, secret }) => [key, text, json, secret])).toEqual([
    ['${who}', 'ann', false, false],
    ['${hosts}', '[\n  "a",\n  "b"\n]', true, false],
    ['${pw}', '', false, true],
    ['${blank}', '', false, true],
    ['${mixed}', '{\n  "user": "ann",\n  "pw": "******"\n}', true, false],
  ]);
});

const edited = (texts: { [key: string]: string | [string, boolean] }, now = constants) => {
  const opened = draftsOf(constants);
  const drafts = opened.map((d) => {
    const to = texts[d.key];
    if (to === undefined) return d;
    return typeof to === 'string' ? { ...d, text: to } : { ...d, text: to[0], json: to[1] };
  });
  return { drafts, ...newValues(drafts, opened, now) };
};

test('only what differs is sent', () => {
  expect(edited({}).values).toEqual({});
  expect(edited({ '${who}': ['"ann"', true], '${hosts}': '["a","b"]' }).values).toEqual({});
  expect(edited({ '${who}': 'bob', '${hosts}': '[]', '${pw}': 'n3w' }).values).toEqual({
    '${who}': 'bob',
    '${hosts}': [],
    '${pw}': 'n3w',
  });
  // What became of others meanwhile is left alone.
  const now = constants.map((c) => (c.key === '${hosts}' ? { ...c, value: ['c'] } : c));
  expect(edited({ '${who}': 'bob' }, now).values).toEqual({ '${who}': 'bob' });
});

test('what cannot be read or is still hidden is refused where it stands', () => {
  const { values, faults } = edited({ '${hosts}': '[', '${mixed}': '{"user":"bob","pw":"******"}', '${pw}': '******' });
  expect(values).toBeUndefined();
  expect([...faults.keys()]).toEqual([2, 5, 3].toSorted());
  expect(faults.get(5)).toBe('hidden');
  expect(faults.get(3)).toBe('hidden');
});

test('a comparison does not tell secrets', () => {
  const { drafts, values = {} } = edited({ '${who}': 'bob', '${pw}': 'n3w', '${blank}': 'f1rst' });
  const list = paramChanges(values, drafts, constants, 'a new one');
  expect(list).toEqual([
    { key: '${who}', before: 'ann', after: 'bob' },
    { key: '${pw}', before: '******', after: 'a new one' },
    { key: '${blank}', before: '******', after: 'a new one' },
  ]);
});

test('what somebody else changed meanwhile is named', () => {
  const now = constants.map((c) => (c.key === '${who}' ? { ...c, value: 'carl' } : c));
  expect(changedMeanwhile({ '${who}': 'bob' }, constants, now)).toEqual(['${who}']);
  expect(changedMeanwhile({ '${hosts}': [] }, constants, now)).toEqual([]);
});
