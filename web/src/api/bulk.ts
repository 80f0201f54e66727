import type { BulkCommand, Verdict } from './types';

/** How many targets the server takes at once. */
export const mostTargets = 1000;

type Targets = BulkCommand['targets'];

/**
 * Sends a command for any number of targets, a part at a time. When a part fails after others were carried out, what is
 * known of those is kept, and the rest counts as refused for the reason of the failure.
 */
export async function commandAll(
  targets: Targets,
  send: (part: Targets) => Promise<{ results: Verdict[] }>,
  why: (error: unknown) => string,
): Promise<Verdict[]> {
  const results: Verdict[] = [];
  for (let i = 0; i < targets.length; i += mostTargets) {
    try {
      results.push(...(await send(targets.slice(i, i + mostTargets))).results);
    } catch (e) {
      if (i === 0) throw e;
      const message = why(e);
      results.push(...targets.slice(i).map((target) => ({ ...target, ok: false, message })));
      break;
    }
  }
  return results;
}

/** Puts what was refused first. */
export function refusedFirst(results: readonly Verdict[]): Verdict[] {
  return [...results.filter((r) => !r.ok), ...results.filter((r) => r.ok)];
}
