import type { NodeDetail, NodeState, Timing } from '../api';
import type { AttemptView } from './attempts';

/** A moment of an attempt, with what of its length is known. */
export interface TimeRow {
  what:
    | 'retried'
    | 'queued'
    | 'started'
    | 'called'
    | 'calledBack'
    | 'finished'
    | 'skipped'
    | 'left'
    | 'poll'
    | 'timer'
    | 'autoRetry'
    | 'due'
    | 'limit';
  at: string;
  /** It lies ahead: how far is told too. */
  ahead?: boolean;
  spans: TimeSpan[];
}

/** How long something took; without `to` it goes on. */
export interface TimeSpan {
  what: 'toEnter' | 'entered' | 'forSlot' | 'slot' | 'toCall' | 'inAll' | 'ran' | 'failed';
  from: string;
  to?: string | undefined;
}

const dueBy: Readonly<Record<string, TimeRow['what']>> = { polling: 'poll', timer: 'timer', retry_at: 'autoRetry' };

/**
 * What is known of when an attempt came how far, in the order of time. When its first call began is told where it waited for a
 * slot; how long it ran then is another length than that in all. An attempt that was skipped began as the one before it.
 */
export function timesOf(detail: NodeDetail, attempt: AttemptView, state: NodeState | undefined): TimeRow[] {
  const rows: TimeRow[] = [];
  const add = (what: TimeRow['what'], at: string | undefined, ...spans: (TimeSpan | undefined)[]) => {
    if (at) rows.push({ what, at, spans: spans.filter((s) => s !== undefined) });
  };
  const t: Timing = attempt.timing ?? { started_at: attempt.started, finished_at: attempt.finished };
  const { retried_at: retried, queued_at: queued, started_at: started, finished_at: finished } = t;
  const slot = started && t.called_at ? long('slot', started, t.called_at) : undefined;
  const entered = queued ?? started;
  if (retried) {
    add('retried', retried, entered ? long('entered', retried, entered) : { what: 'toEnter', from: retried });
  }
  if (queued) add('queued', queued, finished ? undefined : { what: 'forSlot', from: queued });
  if (!attempt.skipped) {
    add('started', started);
    if (slot) add('called', t.called_at, slot);
  }
  if (started) add('calledBack', t.called_back_at, { what: 'toCall', from: started, to: t.called_back_at });
  if (finished && attempt.skipped) add('skipped', finished);
  else if (finished) {
    const failedNow = attempt.current && attempt.state === 'FAILED';
    add(
      'finished',
      finished,
      started ? { what: 'inAll', from: started, to: finished } : undefined,
      slot && t.called_at ? { what: 'ran', from: t.called_at, to: finished } : undefined,
      failedNow ? { what: 'failed', from: finished } : undefined,
    );
  }
  if (finished) add('left', t.left_at, { what: 'failed', from: finished, to: t.left_at });
  rows.push(...aheadOf(detail, t, attempt.current ? state : undefined));
  return rows;
}

// What is still to come. How the node stands now is known sooner than its detail.
function aheadOf(detail: NodeDetail, t: Timing, state: NodeState | undefined): TimeRow[] {
  const rows: TimeRow[] = [];
  const due = state ? state.due_at : t.due_at;
  const phase = state?.phase ?? detail.phase;
  if (due && phase !== 'scheduling') {
    rows.push({ what: dueBy[detail.why?.code ?? ''] ?? 'due', at: due, ahead: true, spans: [] });
  }
  if (t.deadline_at && !state?.finished_at) rows.push({ what: 'limit', at: t.deadline_at, ahead: true, spans: [] });
  return rows;
}

// A wait of less than a second is none.
function long(what: TimeSpan['what'], from: string, to: string): TimeSpan | undefined {
  return Date.parse(to) - Date.parse(from) >= 1000 ? { what, from, to } : undefined;
}
