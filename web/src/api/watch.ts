import { api } from './calls';
import { serverClock } from './clock';
import { drain } from './drain';
import { ApiError, thrown } from './error';
import { signedOut } from './lost';
import type { ServerEvent } from './sse';
import { readStream } from './stream';
import type { NodesNews, TasksNews, WatchRequest } from './types';

/**
 * How fresh what a watch tells is. `since` is the moment of the last sign of life of the server, by the clock of this
 * computer.
 */
export type Feed =
  | { state: 'connecting' }
  | { state: 'live' }
  | { state: 'stale'; since: number }
  | { state: 'polling'; since: number }
  | { state: 'ended'; reason: string; error?: ApiError };

export interface WatchListener {
  tasks?(news: TasksNews): void;
  /** Tasks that are deleted, missing, or out of the filter. */
  gone?(ids: number[]): void;
  nodes?(news: NodesNews): void;
  /** Whether older tasks may be in the filter than those that are followed; told when it changes, false at first. */
  cut?(cut: boolean): void;
  feed?(feed: Feed): void;
}

/** The times of a watch, in milliseconds. */
export interface WatchTimes {
  /** After how long without a byte a stream counts as dead; the server sends one each 10 s. */
  silence: number;
  first: number;
  longest: number;
  /** After so many failures in a row it polls. */
  failures: number;
  poll: number;
  /** After so many polls it tries to stream again. */
  polls: number;
}

export const usualTimes: WatchTimes = {
  silence: 25_000,
  first: 500,
  longest: 30_000,
  failures: 3,
  poll: 3000,
  polls: 10,
};

/** How long to wait after the nth failure in a row: twice as long each time, anything from half of it on. */
export function backOff(failures: number, chance: number, times: WatchTimes = usualTimes): number {
  const whole = Math.min(times.longest, times.first * 2 ** (failures - 1));
  return whole / 2 + (whole / 2) * chance;
}

/** Refusals that asking again does not change. */
export const final: readonly string[] = ['unauthenticated', 'denied', 'not_found', 'invalid'];

/** Follows tasks: by a stream, or by asking every few seconds where no stream gets through. */
export class Watch {
  readonly #project: number;
  readonly #request: WatchRequest;
  readonly #listener: WatchListener;
  readonly #times: WatchTimes;
  readonly #stop = new AbortController();
  readonly #revisions = new Map<number, number>();
  readonly #missing = new Set<number>();
  #cursor: string | undefined;
  #cut = false;
  #hint: number | undefined;
  #failures = 0;
  #events = 0;
  #alive = Date.now();
  #wake: (() => void) | undefined;

  constructor(project: number, request: WatchRequest, listener: WatchListener, times: WatchTimes = usualTimes) {
    this.#project = project;
    this.#request = request;
    this.#listener = listener;
    this.#times = times;
  }

  /** Follows until it is stopped. When the server refuses for good it waits until it is asked to try again. */
  async run(): Promise<void> {
    this.#tell({ state: 'connecting' });
    while (!this.#stop.signal.aborted) {
      const ended = await this.#attempt();
      if (this.#stop.signal.aborted) return;
      if (ended) {
        await this.#end(ended);
        continue;
      }
      if (this.#failures >= this.#times.failures) {
        const refused = await this.#pollAWhile();
        if (refused) await this.#end(refused);
        continue;
      }
      if (this.#failures > 0) this.#tell({ state: 'stale', since: this.#alive });
      const wait = this.#failures > 0 ? backOff(this.#failures, Math.random(), this.#times) : this.#times.first;
      await this.#sleep(Math.max(wait, this.#hint ?? 0));
    }
  }

  stop(): void {
    this.#stop.abort();
    this.#wake?.();
  }

  /** Tries again now, if it waits or has been refused. */
  retry(): void {
    this.#wake?.();
  }

  // Streams until the stream ends. What it gives is the end of the watch.
  async #attempt(): Promise<Feed | undefined> {
    const before = this.#events;
    try {
      const reason = await this.#stream();
      if (reason === 'draining') drain.began();
      if (reason === 'signed_out') {
        signedOut();
        return { state: 'ended', reason };
      }
      // A stream that ends by itself is no failure when it gave something.
      if (this.#events === before) this.#failures++;
      return undefined;
    } catch (e) {
      const error = thrown(e);
      if (!(error instanceof ApiError)) {
        this.#failures++;
        return undefined;
      }
      if (error.code === 'gone') {
        this.#cursor = undefined;
        this.#failures++;
        return undefined;
      }
      // An old server or a proxy that knows no watch is asked for the status instead.
      if (error.status === 404 || error.status === 405 || error.code === 'foreign') {
        this.#failures = this.#times.failures;
        return undefined;
      }
      if (final.includes(error.code)) return { state: 'ended', reason: error.code, error };
      this.#hint = error.retryAfter;
      this.#failures++;
      return undefined;
    }
  }

  #stream(): Promise<string> {
    const ask = {
      method: 'POST' as const,
      body: { ...this.#request, cursor: this.#cursor },
      signal: this.#stop.signal,
    };
    return readStream(`projects/${this.#project}/tasks:watch`, ask, this.#times.silence, {
      begun: () => drain.over(),
      event: (event, received) => this.#take(event, received),
      hint: (pause) => {
        this.#hint = pause;
      },
    });
  }

  // Passes an event on. What it gives is why the stream ends.
  #take(event: ServerEvent, received: number): string | undefined {
    const data = JSON.parse(event.data) as unknown;
    this.#alive = received;
    this.#failures = 0;
    this.#events++;
    this.#tell({ state: 'live' });
    switch (event.type) {
      case 'tasks':
        this.#tasks(data as TasksNews, received);
        break;
      case 'gone':
        this.#gone((data as { ids: number[] }).ids);
        break;
      case 'nodes':
        this.#listener.nodes?.(data as NodesNews);
        break;
      case 'ping':
        serverClock.fromMoment((data as { now?: string }).now, received, received);
        break;
      case 'end':
        return (data as { reason?: string }).reason ?? 'ended';
    }
    if (event.id !== '') this.#cursor = event.id;
    return undefined;
  }

  #tasks(news: TasksNews, received: number): void {
    serverClock.fromMoment(news.now, received, received);
    for (const task of news.tasks) {
      this.#revisions.set(task.id, task.run?.revision ?? -1);
      this.#missing.delete(task.id);
    }
    if (news.tasks.length > 0) this.#listener.tasks?.(news);
    const cut = news.cut ?? false;
    if (cut === this.#cut) return;
    this.#cut = cut;
    this.#listener.cut?.(cut);
  }

  #gone(ids: number[]): void {
    for (const id of ids) {
      this.#revisions.delete(id);
      this.#missing.add(id);
    }
    if (ids.length > 0) this.#listener.gone?.(ids);
  }

  // Asks every few seconds, for a while; then a stream is tried again. What it gives is the end of the watch.
  async #pollAWhile(): Promise<Feed | undefined> {
    let away = false;
    for (let i = 0; i < this.#times.polls; i++) {
      try {
        await this.#poll();
        drain.over();
        this.#alive = Date.now();
        this.#tell({ state: 'polling', since: this.#alive });
        // The server was away, and is there again: a stream may get through.
        if (away) return undefined;
      } catch (e) {
        if (this.#stop.signal.aborted) return undefined;
        const error = thrown(e);
        if (error instanceof ApiError && final.includes(error.code)) {
          return { state: 'ended', reason: error.code, error };
        }
        away = true;
        this.#tell({ state: 'stale', since: this.#alive });
      }
      await this.#sleep(this.#times.poll);
      if (this.#stop.signal.aborted) return undefined;
    }
    return undefined;
  }

  async #poll(): Promise<void> {
    const { tasks, gone, cut, now } = await (this.#request.ids ? this.#pollIds(this.#request.ids) : this.#pollFilter());
    const changed = tasks.filter((t) => this.#revisions.get(t.id) !== (t.run?.revision ?? -1) || !t.run);
    this.#gone(gone);
    this.#tasks({ tasks: changed, cut, now }, Date.now());
    if (!this.#request.nodes) return;
    for (const task of changed) {
      const states = await api.states(this.#project, task.id, this.#stop.signal);
      this.#listener.nodes?.({ task: task.id, revision: states.task.run?.revision ?? 0, nodes: states.nodes });
    }
  }

  async #pollIds(ids: number[]): Promise<Polled> {
    const list = await api.status(this.#project, { ids, run: true }, this.#stop.signal);
    return { tasks: list.tasks, gone: list.missing.filter((id) => !this.#missing.has(id)), now: list.now };
  }

  async #pollFilter(): Promise<Polled> {
    const { limit = 200, ...filter } = this.#request.filter ?? {};
    const list = await api.tasks(this.#project, { ...filter, limit, run: true }, this.#stop.signal);
    const seen = new Set(list.tasks.map((t) => t.id));
    const last = list.next_cursor ? Math.min(...seen) : 0;
    const gone = [...this.#revisions.keys()].filter((id) => id >= last && !seen.has(id));
    // A page that is short and not the last one ends where the server did not look further.
    const cut = list.next_cursor !== undefined && list.tasks.length < limit;
    return { tasks: list.tasks, gone, cut, now: new Date(serverClock.now()).toISOString() };
  }

  // Rights that were taken may be given again, and what was missing may be there.
  async #end(feed: Feed): Promise<void> {
    const again = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#tell(feed);
    if (!this.#stop.signal.aborted) await again;
    this.#failures = 0;
    this.#tell({ state: 'connecting' });
  }

  #tell(feed: Feed): void {
    if (!this.#stop.signal.aborted) this.#listener.feed?.(feed);
  }

  #sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, milliseconds);
      this.#wake = done;
      if (this.#stop.signal.aborted) done();
      function done() {
        clearTimeout(timer);
        resolve();
      }
    });
  }
}

interface Polled extends TasksNews {
  gone: number[];
}
