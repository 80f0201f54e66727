import { expect, test } from 'vitest';
import type { Run, Task, TaskState } from '../api';
import { type Board, cleanName, emptyBoard, failingGroups, sliceCount, sliceLength, takeUp } from './model';

function task(id: number, state: TaskState, run: Partial<Run> = {}, rest: Partial<Task> = {}): Task {
  return {
    id,
    name: `task ${id}`,
    project: 2,
    state,
    flow_type: 'common',
    creator: 'ann',
    created_at: '2026-01-01T00:00:00Z',
    elapsed_s: 0,
    url: '',
    ...rest,
    run: {
      revision: 1,
      tree: 'a',
      phase: 'running',
      progress: { done: 1, total: 4 },
      running_count: 0,
      failed_count: run.failed?.length ?? 0,
      paused_count: 0,
      why: { code: 'polling', text: '' },
      actions: [],
      ...run,
    },
  };
}

const failed = (id: number, revision: number, ...nodes: [number, string][]) =>
  task(id, 'FAILED', { revision, failed: nodes.map(([index, name]) => ({ index, id: `n${id}.${index}`, name })) });

// All that is counted step by step, counted at once.
function recount(board: Board) {
  const counts: Record<string, number> = {};
  const failing = new Map<string, number[]>();
  const trees = new Map<string, number>();
  let [done, total, problems] = [0, 0, 0];
  for (const { task } of board.tasks.values()) {
    counts[task.state] = (counts[task.state] ?? 0) + 1;
    if (task.problem) problems++;
    if (!task.run) continue;
    done += task.run.progress.done;
    total += task.run.progress.total;
    trees.set(task.run.tree, (trees.get(task.run.tree) ?? 0) + 1);
    for (const n of task.run.failed ?? []) {
      const key = `${task.run.tree}/${n.index}`;
      failing.set(key, [...(failing.get(key) ?? []), task.id].sort());
    }
  }
  return { counts, failing, trees, done, total, problems };
}

function counted(board: Board) {
  return {
    counts: Object.fromEntries(Object.entries(board.counts).filter(([, n]) => n !== 0)),
    failing: new Map([...board.failing].map(([k, f]) => [k, [...f.tasks.keys()].sort()])),
    trees: board.trees,
    done: board.done,
    total: board.total,
    problems: board.problems,
  };
}

test('what is counted step by step is what there is', () => {
  let seed = 7;
  const random = (n: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * n);
  };
  const states: TaskState[] = ['CREATED', 'RUNNING', 'FAILED', 'FINISHED', 'REVOKED'];
  let board = emptyBoard(Array.from({ length: 30 }, (_, i) => i));
  for (let i = 1; i < 400; i++) {
    const id = random(30);
    const state = states[random(5)] as TaskState;
    const nodes = state === 'FAILED' ? Array.from({ length: 1 + random(3) }, () => 1 + random(4)) : [];
    const news = task(
      id,
      state,
      {
        revision: i,
        tree: ['a', 'b'][random(2)],
        progress: { done: random(5), total: 5 },
        failed: [...new Set(nodes)].map((index) => ({ index, id: `n${id}.${index}`, name: `node ${index}` })),
      },
      random(6) === 0 ? { problem: 'broken' } : {},
    );
    board = takeUp(board, [random(8) === 0 ? { gone: [id] } : { tasks: [news] }], i);
    expect(counted(board)).toEqual(recount(board));
  }
});

test('news does not change the board that was there', () => {
  const first = takeUp(emptyBoard([1, 2]), [{ tasks: [failed(1, 1, [3, 'push']), failed(2, 1, [3, 'push'])] }], 1);
  const before = counted(first);
  takeUp(first, [{ tasks: [task(1, 'RUNNING', { revision: 2 })] }, { gone: [2] }], 2);
  expect(counted(first)).toEqual(before);
  expect(first.failing.get('a/3')?.tasks).toEqual(
    new Map([
      [1, 'n1.3'],
      [2, 'n2.3'],
    ]),
  );
});

test('what is known already is no news', () => {
  const board = takeUp(emptyBoard([1]), [{ tasks: [task(1, 'RUNNING', { revision: 5 })] }], 1);
  expect(takeUp(board, [{ tasks: [task(1, 'RUNNING', { revision: 5 })] }], 2)).toBe(board);
  expect(takeUp(board, [{ tasks: [task(1, 'CREATED', { revision: 4 }), task(9, 'FAILED')] }], 2)).toBe(board);
  expect(takeUp(board, [{ tasks: [task(1, 'FINISHED', { revision: 6 })] }], 2)).toMatchObject({ changed: 2 });
});

test('an id without a task is told apart from a task that went away, and both may come back', () => {
  let board = takeUp(emptyBoard([1, 2]), [{ tasks: [task(1, 'RUNNING')], gone: [2] }], 1);
  expect([...board.absent]).toEqual([[2, 'unknown']]);
  board = takeUp(board, [{ gone: [1, 2, 99] }], 2);
  expect([...board.absent]).toEqual([
    [2, 'unknown'],
    [1, 'gone'],
  ]);
  expect(board.tasks.size).toBe(0);
  board = takeUp(board, [{ tasks: [task(2, 'FINISHED')] }], 3);
  expect([...board.absent]).toEqual([[1, 'gone']]);
});

test('only changes count as changes, in slices of time', () => {
  let board = takeUp(emptyBoard([1]), [{ tasks: [task(1, 'RUNNING', { revision: 1 })] }], 5);
  expect([board.changed, board.slices]).toEqual([0, []]);
  for (let i = 2; i < 6; i++) board = takeUp(board, [{ tasks: [task(1, 'RUNNING', { revision: i })] }], i * 3900);
  expect(board.slices).toEqual([
    { at: 0, count: 1 },
    { at: sliceLength, count: 3 },
  ]);
  const late = sliceLength * (sliceCount + 1);
  board = takeUp(board, [{ tasks: [task(1, 'RUNNING', { revision: 9 })] }], late);
  expect(board.slices).toEqual([{ at: late, count: 1 }]);
});

test('a node that fails in several trees is one by its name, but two of one tree stay two', () => {
  const other = (t: Task) => ({ ...t, run: { ...(t.run as Run), tree: 'b' } });
  const board = takeUp(
    emptyBoard([1, 2, 3, 4, 5]),
    [
      {
        tasks: [
          failed(1, 1, [3, 'push'], [4, 'check']),
          failed(2, 1, [3, 'push'], [5, 'check']),
          other(failed(3, 1, [8, 'push'])),
          other(task(4, 'RUNNING')),
          task(5, 'RUNNING'),
        ],
      },
    ],
    1,
  );
  expect(
    failingGroups(board).map(({ name, failed, of, parts }) => [name, failed, of, parts.map((p) => p.key)]),
  ).toEqual([
    ['push', 3, 5, ['a/3', 'b/8']],
    ['check', 1, 3, ['a/4']],
    ['check', 1, 3, ['a/5']],
  ]);
});

test('names stay in their place', () => {
  expect(cleanName('a\u202eb\u0000\u2066c')).toBe('a b  c');
  expect(cleanName('x'.repeat(10_000))).toHaveLength(201);
  const board = takeUp(
    emptyBoard([1]),
    [
      {
        tasks: [
          task(1, 'FAILED', { why: { code: 'failed', text: '', node: { index: 1, id: 'n', name: 'a\u202eb' } } }),
        ],
      },
    ],
    1,
  );
  expect(board.tasks.get(1)?.task.run?.why.node?.name).toBe('\u2068a b\u2069');
  const timer = { code: 'timer', text: '', node: { index: 2, id: 'm', name: 'wait' } } as const;
  const both = { ...failed(1, 2, [1, 'a\u202eb']) };
  const other = takeUp(emptyBoard([1]), [{ tasks: [{ ...both, run: { ...(both.run as Run), why: timer } }] }], 1);
  expect(other.tasks.get(1)?.task.run?.why).toMatchObject({ code: 'failed', node: { name: '\u2068a b\u2069' } });
});
