import { expect, test } from 'vitest';
import type { NodeDetail, NodeState, Timing } from '../api';
import { attemptsOf } from './attempts';
import { timesOf } from './times';

const at = (second: number) => new Date(Date.UTC(2026, 4, 4, 10, 0, second)).toISOString();

const base = {
  index: 3,
  id: 'n3',
  parent: '',
  name: 'Copy',
  loop: 1,
  retry: 0,
  elapsed_s: 0,
  inputs: {},
  outputs: [],
  attempts: [],
} as const;

/** What is told of an attempt, in short: the last one, or one by its place. */
function told(detail: Partial<NodeDetail>, place = -1, live?: Partial<NodeState>) {
  const whole = { ...base, state: 'RUNNING', ...detail } as NodeDetail;
  const attempt = attemptsOf(whole).at(place);
  if (!attempt) throw new Error('no such attempt');
  const state = live && ({ index: 3, id: 'n3', state: whole.state, loop: 1, retry: 0, ...live } as NodeState);
  const length = (from: string, to: string | undefined) => (to ? (Date.parse(to) - Date.parse(from)) / 1000 : '…');
  return timesOf(whole, attempt, state).map((r) =>
    [r.what, ...(r.ahead ? ['ahead'] : []), ...r.spans.map((s) => `${s.what} ${length(s.from, s.to)}`)].join(', '),
  );
}

test('a wait for a slot is told while it goes on and, where its end is known, afterwards', () => {
  expect(told({ timing: { queued_at: at(1) } })).toEqual(['queued, forSlot …']);
  expect(told({ timing: { started_at: at(1) } })).toEqual(['started']);
  expect(told({ state: 'FINISHED', timing: { started_at: at(1), finished_at: at(9) } })).toEqual([
    'started',
    'finished, inAll 8',
  ]);
});

test('how long it was queued and ran, unless it was called at once', () => {
  const timing: Timing = { started_at: at(1), called_at: at(5), finished_at: at(9) };
  expect(told({ state: 'FINISHED', timing })).toEqual(['started', 'called, slot 4', 'finished, inAll 8, ran 4']);
  expect(told({ timing: { started_at: at(1), called_at: at(5) } })).toEqual(['started', 'called, slot 4']);
  expect(told({ state: 'FINISHED', timing: { ...timing, called_at: at(1) } })).toEqual([
    'started',
    'finished, inAll 8',
  ]);
  const earlier = { ...base, state: 'FAILED' as const, timing: { ...timing, left_at: at(30) }, outputs: {} };
  expect(told({ attempts: [earlier] }, 0)).toEqual([
    'started',
    'called, slot 4',
    'finished, inAll 8, ran 4',
    'left, failed 21',
  ]);
  expect(told({ state: 'FINISHED', skipped: true, timing })).toEqual(['skipped']);
});

test('after a retry, how long it waited to be entered, unless it was at once', () => {
  expect(told({ state: 'READY', timing: { retried_at: at(1) } })).toEqual(['retried, toEnter …']);
  expect(told({ timing: { retried_at: at(1), queued_at: at(5) } })).toEqual([
    'retried, entered 4',
    'queued, forSlot …',
  ]);
  expect(told({ timing: { retried_at: at(1), started_at: at(1) } })).toEqual(['retried', 'started']);
});

test('how long it waited to be called back, and how long it stood failed', () => {
  const timing: Timing = { started_at: at(1), called_back_at: at(7), finished_at: at(8) };
  expect(told({ state: 'FAILED', timing })).toEqual(['started', 'calledBack, toCall 6', 'finished, inAll 7, failed …']);
  const earlier = { ...base, state: 'FAILED' as const, timing: { ...timing, left_at: at(30) }, outputs: {} };
  expect(told({ attempts: [earlier] }, 0)).toEqual([
    'started',
    'calledBack, toCall 6',
    'finished, inAll 7',
    'left, failed 22',
  ]);
});

test('what was skipped has no start and no length of its own', () => {
  expect(told({ state: 'FINISHED', skipped: true, timing: { started_at: at(1), finished_at: at(40) } })).toEqual([
    'skipped',
  ]);
});

test('what is still to come, by what it waits for and as it stands now', () => {
  const timing: Timing = { started_at: at(1), due_at: at(9), deadline_at: at(59) };
  const why = (code: 'polling' | 'timer' | 'retry_at' | 'stopping') => ({ code, text: '' });
  expect(told({ timing, why: why('polling') }, -1, { due_at: at(9) })).toEqual([
    'started',
    'poll, ahead',
    'limit, ahead',
  ]);
  expect(told({ timing, why: why('timer') })).toEqual(['started', 'timer, ahead', 'limit, ahead']);
  expect(told({ timing, why: why('stopping') })).toEqual(['started', 'due, ahead', 'limit, ahead']);
  // A poll that is out is not the next one; and the state is known sooner than the detail.
  expect(told({ timing, why: why('polling') }, -1, { due_at: at(9), phase: 'scheduling' })).toEqual([
    'started',
    'limit, ahead',
  ]);
  expect(told({ timing, why: why('polling') }, -1, { finished_at: at(8) })).toEqual(['started']);
  const failed = { started_at: at(1), finished_at: at(2), due_at: at(12) };
  expect(told({ state: 'FAILED', timing: failed, why: why('retry_at') })).toEqual([
    'started',
    'finished, inAll 1, failed …',
    'autoRetry, ahead',
  ]);
});
