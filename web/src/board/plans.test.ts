import { expect, test } from 'vitest';
import type { Task } from '../api';
import type { Item } from './model';
import { plansFor } from './plans';

const item = (id: number, actions: string[], failed: string[] = []) =>
  ({
    name: '',
    task: { id, run: { actions, failed: failed.map((node) => ({ id: node })) } } as unknown as Task,
  }) as Item;

test('a plan is for the tasks that take the command now, and counts the others', () => {
  const plans = plansFor([item(1, ['pause', 'revoke'], ['n1', 'n2']), item(2, ['resume', 'revoke']), item(3, [])]);
  expect(plans.pause).toEqual({ command: 'pause', targets: [{ task: 1 }], others: 2 });
  expect(plans.resume).toEqual({ command: 'resume', targets: [{ task: 2 }], others: 2 });
  expect(plans.revoke).toEqual({ command: 'revoke', targets: [{ task: 1 }, { task: 2 }], others: 1 });
  expect(plans.retry.targets).toEqual([
    { task: 1, node: 'n1' },
    { task: 1, node: 'n2' },
  ]);
  expect(plans.retry.others).toBe(2);
});
