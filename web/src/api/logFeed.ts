import { api } from './calls';
import { drain } from './drain';
import { ApiError, thrown } from './error';
import { signedOut } from './lost';
import { readStream } from './stream';
import type { NodeLog } from './types';
import { backOff, type Feed, final, usualTimes, type WatchTimes } from './watch';

export interface LogOf {
  project: number;
  task: number;
  node: string;
  /** 0 is the newest; the first that begins while there is none. */
  attempt: number;
}

export interface LogListener {
  /** A part of the log: first its tail, then what is added. */
  part(part: NodeLog): void;
  /** All was told, and nothing will be added. */
  complete(): void;
  feed(feed: Feed): void;
}

/** Follows a log from its last lines on: by a stream, or by asking every second where no stream gets through. */
export async function followLog(
  of: LogOf,
  tail: number,
  listener: LogListener,
  signal: AbortSignal,
  times: WatchTimes = { ...usualTimes, poll: 1000 },
): Promise<void> {
  let attempt = of.attempt;
  let next = -1;
  let id = '';
  let alive = Date.now();
  let failures = 0;
  let polls = 0;
  const path = `projects/${of.project}/tasks/${of.task}/nodes/${encodeURIComponent(of.node)}/log`;
  const take = (part: NodeLog) => {
    alive = Date.now();
    failures = 0;
    if (part.attempt > 0) {
      attempt = part.attempt;
      next = part.next;
    }
    listener.part(part);
  };
  const stream = () =>
    readStream(
      path,
      {
        query: next < 0 ? { tail, attempt: attempt || undefined } : { from: next, attempt },
        signal,
        headers: id === '' ? undefined : { 'Last-Event-ID': id },
      },
      times.silence,
      {
        begun: () => drain.over(),
        event: (event) => {
          alive = Date.now();
          if (event.type === 'end') return (JSON.parse(event.data) as { reason?: string }).reason ?? 'closed';
          listener.feed({ state: 'live' });
          if (event.id !== '') id = event.id;
          if (event.type === 'log') take(JSON.parse(event.data) as NodeLog);
          return undefined;
        },
      },
    );
  const poll = async () => {
    const where = next < 0 ? { tail } : { from: next };
    const part = await api.log(of.project, of.task, of.node, { ...where, attempt: attempt || undefined }, signal);
    const before = failures;
    take(part);
    failures = before;
    id = ''; // it is behind now
    listener.feed({ state: 'polling', since: alive });
    if (part.next < part.size && part.text !== '') return 'behind';
    return part.complete ? 'complete' : 'polled';
  };
  listener.feed({ state: 'connecting' });
  while (!signal.aborted) {
    let wait = times.first;
    const polling = failures >= times.failures && polls < times.polls;
    try {
      const reason = polling ? await poll() : await stream();
      if (signal.aborted) return;
      if (reason === 'complete') return listener.complete();
      if (reason === 'draining') drain.began();
      if (reason === 'signed_out') signedOut();
      if (reason === 'signed_out' || reason === 'denied') return listener.feed({ state: 'ended', reason });
      polls = polling ? polls + 1 : 0;
      if (polling) wait = reason === 'behind' ? 0 : times.poll;
      else if (reason === 'closed') failures++;
    } catch (e) {
      if (signal.aborted) return;
      const error = thrown(e);
      if (error instanceof ApiError && final.includes(error.code)) {
        return listener.feed({ state: 'ended', reason: error.code, error });
      }
      polls = polling ? polls + 1 : 0;
      const none = error instanceof ApiError && error.code === 'foreign'; // no stream gets through
      failures = none ? times.failures : failures + 1;
      if (!none) {
        listener.feed({ state: 'stale', since: alive });
        const hint = (error instanceof ApiError && error.retryAfter) || 0;
        wait = Math.max(hint, backOff(failures, Math.random(), times));
      }
    }
    await pause(wait, signal);
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}
