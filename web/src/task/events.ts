import type { EventList, TaskEvent } from '../api';

/** The events of a task that are known, the newest first, without a gap between them. */
export interface Log {
  events: readonly TaskEvent[];
  /** Asks for the older ones; absent when there are none. */
  older: string | undefined;
}

export const noEvents: Log = { events: [], older: undefined };

/** Whether an event came behind another. */
export function isNewer(a: TaskEvent, b: TaskEvent): boolean {
  return a.revision === b.revision ? a.n > b.n : a.revision > b.revision;
}

/** Puts a page of older events behind those that are known. */
export function withOlder(log: Log, page: EventList): Log {
  const last = log.events.at(-1);
  const added = last ? page.events.filter((e) => isNewer(last, e)) : page.events;
  return { events: [...log.events, ...added], older: page.next_cursor };
}

/**
 * Puts the newest page before those that are known. Where a gap would be left between them, the old ones are dropped: they
 * can be asked for again.
 */
export function withNewest(log: Log, page: EventList): Log {
  const first = log.events[0];
  // A part of a long log may hold nothing that is looked for: what was looked through stays behind.
  if (!first && log !== noEvents && page.events.length === 0) return log;
  if (!first) return { events: page.events, older: page.next_cursor };
  const added = page.events.filter((e) => isNewer(e, first));
  if (added.length === 0) return log;
  if (added.length === page.events.length && page.next_cursor) return { events: page.events, older: page.next_cursor };
  return { events: [...added, ...log.events], older: log.older };
}
