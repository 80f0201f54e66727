import { expect, test } from 'vitest';
import type { Durations, Task } from '../api';
import { speak } from '../i18n';
import {
  expectedEnd,
  expectedOfAll,
  isSlow,
  mostTrees,
  treesOf,
  type Usual,
  usualKey,
  usualOf,
  usualsOf,
} from './usual';
import { bandWords, byWords } from './words';

const zero = Date.parse('2026-05-04T14:00:00Z');
const at = (seconds: number) => new Date(zero + seconds * 1000).toISOString();

const answer: Durations = {
  tree: 'x',
  runs: 20,
  median_s: 300,
  p95_s: 720,
  nodes: [
    { index: 1, runs: 20, median_s: 60, rest_s: 240 },
    { index: 2, runs: 20, median_s: 40, rest_s: 30 },
  ],
};
const usual = usualOf(answer) as Usual;

function run(
  more: Partial<Task> & { running?: number[]; failed?: number; paused?: number; phase?: string } = {},
): Task {
  const { running = [], failed = 0, paused = 0, phase = 'running', ...task } = more;
  return {
    id: 1,
    state: 'RUNNING',
    started_at: at(0),
    run: {
      tree: 'x',
      phase,
      running: running.map((index) => ({ index, id: `n${index}`, name: '' })),
      failed_count: failed,
      paused_count: paused,
    },
    ...task,
  } as Task;
}

const seconds = (task: Task, now: number) => {
  const band = expectedEnd(task, usual, zero + now * 1000);
  return band && [(band.from - zero) / 1000, (band.to - zero) / 1000, band.late];
};

test('of too few tasks nothing is known', () => {
  expect(usualOf({ ...answer, runs: 0 })).toBeUndefined();
  expect(expectedEnd(run(), undefined, zero)).toBeUndefined();
});

test('the end is expected from the median on, until p95', () => {
  expect(seconds(run(), 10)).toEqual([300, 720, false]);
});

test('it does not end before what follows behind the nodes at work', () => {
  expect(seconds(run({ running: [2, 1] }), 100)).toEqual([340, 720, false]);
  expect(seconds(run({ running: [2] }), 400)).toEqual([430, 720, false]);
  // Of a node that was never seen nothing is known.
  expect(seconds(run({ running: [9] }), 400)).toEqual([400, 720, false]);
});

test('past p95 it takes longer than usual', () => {
  expect(seconds(run({ running: [2] }), 720)?.[2]).toBe(false);
  expect(seconds(run({ running: [2] }), 721)).toEqual([751, 751, true]);
});

test('nothing is expected of what waits for a person, has ended, or has another tree', () => {
  for (const phase of ['waiting_human', 'blocked', 'draining', 'ended']) {
    expect(seconds(run({ phase }), 10), phase).toBeUndefined();
  }
  expect(seconds(run({ failed: 1 }), 10)).toBeUndefined();
  expect(seconds(run({ paused: 1 }), 10)).toBeUndefined();
  expect(seconds(run({ finished_at: at(5) }), 10)).toBeUndefined();
  expect(seconds(run({ started_at: undefined }), 10)).toBeUndefined();
  expect(expectedEnd(run(), { ...usual, tree: 'y' }, zero)).toBeUndefined();
  expect(seconds(run({ phase: 'queued' }), 10)).toEqual([300, 720, false]);
});

test('whatever the figures, the band lies ahead and is no emptier than nothing', () => {
  let seed = 7;
  const random = (most: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % most;
  };
  for (let i = 0; i < 2000; i++) {
    const median = random(1000);
    const some = {
      ...usual,
      median,
      p95: median + random(1000),
      nodes: new Map([[1, { median: 1, rest: random(2000) }]]),
    };
    const now = zero + random(3000);
    const band = expectedEnd(run({ running: [random(3)] }), some, now);
    if (!band) throw new Error('nothing is expected');
    expect(band.from).toBeGreaterThanOrEqual(now);
    expect(band.to).toBeGreaterThanOrEqual(band.from);
    expect(band.from).toBeGreaterThanOrEqual(zero + median);
    expect(band.late).toBe(now > zero + some.p95);
    // Later on the end is not expected sooner.
    const later = expectedEnd(run({ running: [1] }), some, now + 500);
    const sooner = expectedEnd(run({ running: [1] }), some, now);
    expect(later && sooner && later.from >= sooner.from && later.to >= sooner.to).toBe(true);
  }
});

test('of many the last decides, and it is told of how many that is known', () => {
  const tasks = [
    run({ id: 1 }),
    run({ id: 2, started_at: at(-600) }),
    run({ id: 3, started_at: at(60) }),
    run({ id: 4, phase: 'blocked' }),
    run({ id: 5, finished_at: at(1) }),
    run({ id: 6, started_at: undefined }),
  ];
  const all = expectedOfAll(tasks, () => usual, zero + 200_000);
  expect(all).toEqual({ band: { from: zero + 360_000, to: zero + 780_000, late: false }, known: 3, of: 4, late: 1 });
  expect(expectedOfAll(tasks.slice(1, 2), () => usual, zero + 200_000)).toEqual({
    band: undefined,
    known: 1,
    of: 1,
    late: 1,
  });
  expect(expectedOfAll(tasks, () => undefined, zero)).toEqual({ band: undefined, known: 0, of: 4, late: 0 });
});

test('a list of slow tasks tells of their trees, and of others nothing is known', () => {
  const told = { runs: 4, median_s: 12.5, p95_s: 60 };
  const slow = { ...run({ id: 1, flow: 7 }), usual: told } as Task;
  const usuals = usualsOf([slow, run({ id: 2 })]);
  expect([...usuals]).toEqual([[usualKey(slow), { runs: 4, median: 12_500, p95: 60_000 }]]);
  const started = Date.parse(slow.started_at as string);
  const of = (task: Task, after: number) => isSlow(task, usuals.get(usualKey(task)), started + after);
  expect([of(slow, 60_000), of(slow, 60_001), of(run({ id: 3, flow: 7 }), 60_001)]).toEqual([false, true, true]);
  expect(of(run({ id: 3 }), 900_000)).toBe(false);
  expect(of({ ...slow, finished_at: at(100) }, 900_000)).toBe(false);
  expect(of({ ...slow, started_at: undefined }, 900_000)).toBe(false);
});

test('each tree is asked about once, those of the most tasks first, and not of any number', () => {
  const of = (id: number, tree: string, flow?: number) => {
    const task = run({ id, flow });
    return { ...task, run: { ...task.run, tree } } as Task;
  };
  const tasks = [
    of(1, 'a', 7),
    of(2, 'b', 7),
    of(3, 'b', 7),
    of(4, 'b'),
    of(5, ''),
    { ...of(6, 'c'), finished_at: at(1) },
  ];
  expect(treesOf(tasks)).toMatchObject([
    { key: '7/b', task: 2 },
    { key: '7/a', task: 1 },
    { key: '0/b', task: 4 },
  ]);
  expect(usualKey(of(5, ''))).toBe('');
  expect(treesOf(Array.from({ length: 50 }, (_, i) => of(i + 1, `t${i}`)))).toHaveLength(mostTrees);
});

test('a band is as exact as a guess can be', () => {
  const words = (from: number, to: number, now = 0) =>
    bandWords({ from: zero + from * 1000, to: zero + to * 1000, late: false }, zero + now * 1000, speak('en'), 'UTC');
  expect(words(301, 719)).toBe('14:05 – 14:12');
  expect(words(301, 412)).toBe('14:05:00 – 14:06:55');
  expect(words(301, 305)).toBe('14:05:00 – 14:05:05');
  expect(words(300, 300)).toBe('14:05:00');
  expect(byWords({ from: zero, to: zero + 61_000, late: false }, zero, speak('zh-CN'), 'UTC')).toBe('14:01:05 前');
  expect(words(86_400, 90_000)).toBe('May 5, 14:00 – May 5, 15:00');
});
