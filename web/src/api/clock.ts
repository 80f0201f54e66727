import { useSyncExternalStore } from 'react';

/** From how many milliseconds on the clock of this computer counts as wrong. */
export const skewLimit = 2000;

/**
 * Knows how far the clock of the server is ahead of the one of this computer. What is shown of times that pass goes by the
 * server's.
 */
export class ServerClock {
  #offset = 0;
  #error = Number.POSITIVE_INFINITY;
  #listeners = new Set<() => void>();

  /** Milliseconds that the server is ahead. */
  get offset(): number {
    return this.#offset;
  }

  /** The moment by the clock of the server. */
  now(local: number = Date.now()): number {
    return local + this.#offset;
  }

  /** The header has whole seconds: the middle of the second is half a second off at most. */
  fromHeader(date: string | null, asked: number, answered: number): void {
    const moment = date === null ? Number.NaN : Date.parse(date);
    if (!Number.isNaN(moment)) this.#learn(moment + 500, asked, answered, 500);
  }

  fromMoment(now: string | undefined, asked: number, answered: number): void {
    const moment = now === undefined ? Number.NaN : Date.parse(now);
    if (!Number.isNaN(moment)) this.#learn(moment, asked, answered, 0);
  }

  // Keeps the best estimate: a new one counts when it is not much worse, or when it contradicts the old one.
  #learn(moment: number, asked: number, answered: number, coarse: number): void {
    const error = (answered - asked) / 2 + coarse;
    const offset = moment - (asked + answered) / 2;
    const contradicts = Math.abs(offset - this.#offset) > error + this.#error;
    if (error > this.#error && !contradicts) return;
    this.#offset = offset;
    this.#error = error;
    for (const tell of this.#listeners) tell();
  }

  subscribe = (tell: () => void): (() => void) => {
    this.#listeners.add(tell);
    return () => this.#listeners.delete(tell);
  };

  /** Seconds that this computer is ahead of the server, 0 while that does not matter. */
  skew = (): number => (Math.abs(this.#offset) > skewLimit ? Math.round(-this.#offset / 1000) : 0);
}

export const serverClock = new ServerClock();

/** Seconds that this computer is ahead of the server, 0 while that does not matter. */
export function useSkew(): number {
  return useSyncExternalStore(serverClock.subscribe, serverClock.skew);
}

// One timer for all that ticks, while anything does.
const tickers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribeTick(tell: () => void): () => void {
  tickers.add(tell);
  timer ??= setInterval(() => {
    for (const t of tickers) t();
  }, 1000);
  return () => {
    tickers.delete(tell);
    if (tickers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

const still = () => () => {};

const wholeSecond = () => Math.floor(serverClock.now() / 1000);

/** The moment by the clock of the server in milliseconds, to the second; anew each second while `ticking`. */
export function useServerNow(ticking = true): number {
  return useSyncExternalStore(ticking ? subscribeTick : still, wholeSecond) * 1000;
}
