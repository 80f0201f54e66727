import type { BoardCommand, Plan } from './Commands';
import type { Item } from './model';

/** What can be done to many tasks at once. */
export const bulkCommands = ['retry', 'pause', 'resume', 'revoke'] as const satisfies readonly BoardCommand[];

/** A plan for each of them. */
export type Plans = Record<(typeof bulkCommands)[number], Plan>;

/** Makes for each command the plan for the tasks that take it now. */
export function plansFor(items: readonly Item[]): Plans {
  const plan = (command: BoardCommand): Plan => ({ command, targets: [], others: 0 });
  const plans = { retry: plan('retry'), pause: plan('pause'), resume: plan('resume'), revoke: plan('revoke') };
  for (const { task } of items) {
    for (const command of ['pause', 'resume', 'revoke'] as const) {
      if (task.run?.actions.includes(command)) plans[command].targets.push({ task: task.id });
      else plans[command].others++;
    }
    const failed = task.run?.failed ?? [];
    if (failed.length === 0) plans.retry.others++;
    for (const n of failed) plans.retry.targets.push({ task: task.id, node: n.id });
  }
  return plans;
}
