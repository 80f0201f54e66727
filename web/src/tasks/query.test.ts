import { expect, test } from 'vitest';
import { filterOf, parseQuery, printQuery, rangeStart } from './query';

const flows = new Map([
  [3, '发布'],
  [7, 'Deploy it'],
  [9, 'Deploy it again'],
]);

test.each([
  ['', { text: '' }, []],
  ['state:failed', { state: 'FAILED', text: '' }, []],
  ['state:NODE_SUSPENDED', { state: 'NODE_SUSPENDED', text: '' }, []],
  ['state:paused by:ann release  v2', { state: 'SUSPENDED', by: 'ann', text: 'release v2' }, []],
  ['flow:"Deploy it" is:waiting', { flow: 'Deploy it', waiting: true, text: '' }, []],
  ['is:Slow is:waiting', { slow: true, waiting: true, text: '' }, []],
  ['state:broken is:odd x', { text: 'x' }, ['state', 'is']],
  ['state: by:', { text: '' }, []],
  ['db:migrate "two words"', { text: 'db:migrate two words' }, []],
  ['flow:"not ended', { flow: 'not ended', text: '' }, []],
])('the box %j is understood', (text, query, kinds) => {
  const got = parseQuery(text);
  expect(got.query).toEqual(query);
  expect(got.faults.map((f) => f.kind)).toEqual(kinds);
});

test('what is written is read again as it was', () => {
  for (const text of ['', 'is:waiting is:slow state:paused flow:"Deploy it" by:@me executor:bob a name', 'flow:发布']) {
    expect(printQuery(parseQuery(text).query)).toBe(text);
  }
});

test('people and flows are resolved', () => {
  const of = (text: string) => filterOf(parseQuery(text).query, 'ann', flows);
  expect(of('by:@me executor:bob flow:发布 x').filter).toEqual({
    creator: 'ann',
    executor: 'bob',
    flow: 3,
    keyword: 'x',
  });
  expect(of('flow:"deploy IT"').filter.flow).toBe(7);
  expect(of('flow:deploy').filter.flow).toBe(9);
  expect(of('flow:12').filter.flow).toBe(12);
  expect(of('flow:none')).toMatchObject({ fault: { word: 'flow:none', kind: 'flow' } });
});

test('ranges begin where they say', () => {
  const now = new Date(2026, 2, 2, 10, 30).getTime();
  expect(rangeStart('today', now)).toBe(new Date(2026, 2, 2).toISOString());
  expect(rangeStart('7d', now)).toBe(new Date(now - 7 * 86_400_000).toISOString());
  expect(rangeStart('all', now)).toBeUndefined();
});
