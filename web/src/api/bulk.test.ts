import { expect, test } from 'vitest';
import { commandAll, mostTargets, refusedFirst } from './bulk';

const targets = Array.from({ length: 2 * mostTargets + 1 }, (_, i) => ({ task: i + 1, node: `n${i + 1}` }));
const ok = (part: typeof targets) => part.map((target) => ({ ...target, ok: true }));

test('many targets go in parts, and each has its verdict', async () => {
  const parts: number[] = [];
  const results = await commandAll(
    targets,
    async (part) => {
      parts.push(part.length);
      return { results: ok(part as typeof targets) };
    },
    String,
  );
  expect(parts).toEqual([mostTargets, mostTargets, 1]);
  expect(results).toEqual(ok(targets));
});

test('what was done before a failure is kept, and the rest is refused for it', async () => {
  let calls = 0;
  const results = await commandAll(
    targets,
    async (part) => {
      if (++calls === 2) throw new Error('gone away');
      return { results: ok(part as typeof targets) };
    },
    (e) => (e as Error).message,
  );
  expect(calls).toBe(2);
  expect(results).toHaveLength(targets.length);
  expect(results[mostTargets - 1]).toEqual({ ...targets[mostTargets - 1], ok: true });
  expect(results[mostTargets]).toEqual({ ...targets[mostTargets], ok: false, message: 'gone away' });
});

test('a failure before anything was done is one of the whole', async () => {
  await expect(commandAll(targets, () => Promise.reject(new Error('no')), String)).rejects.toThrow('no');
});

test('refusals come first', () => {
  const results = [
    { task: 1, ok: true },
    { task: 2, ok: false },
    { task: 3, ok: true },
    { task: 4, ok: false },
  ];
  expect(refusedFirst(results).map((r) => r.task)).toEqual([2, 4, 1, 3]);
});
