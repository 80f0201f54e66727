import { useCallback, useEffect, useRef, useState } from 'react';
import { ApiError, api } from '../api';
import { bytes, LogText } from './logText';

/** How many lines of a log are there at first. */
const tail = 1000;
const pause = 1000;
const longest = 15_000;
const olderBytes = 1 << 20;
const leastLimit = 1024;

export interface LogState {
  text: LogText;
  /** Raised with each change of the text. */
  edition: number;
  /** The attempt that it is of; 0 while there is none. */
  attempt: number;
  attempts: number;
  size: number;
  /** Whether anything has been answered yet. */
  loaded: boolean;
  /** Nothing will be added. */
  complete: boolean;
  error?: unknown;
  loadingOlder: boolean;
}

const nothing = (): LogState => ({
  text: new LogText(),
  edition: 0,
  attempt: 0,
  attempts: 0,
  size: 0,
  loaded: false,
  complete: false,
  loadingOlder: false,
});

/**
 * Reads the end of the log of an attempt of a node (0: the newest) and follows it until it is complete; `mark` begins
 * anew when it changes. While the page is hidden nothing is asked.
 */
export function useLog(of: { project: number; task: number; node: string; attempt: number; mark: string }): LogState & {
  older: () => void;
  retry: () => void;
} {
  const [state, setState] = useState(nothing);
  const wake = useRef<() => void>(() => {});
  const busy = useRef(false);
  const current = useRef<LogText | undefined>(undefined);
  const { project, task, node, attempt, mark } = of;

  // biome-ignore lint/correctness/useExhaustiveDependencies: another mark is another log
  useEffect(() => {
    const begun = nothing();
    const text = begun.text;
    const stop = new AbortController();
    let pinned = attempt;
    let failures = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let asking = false;
    let first = true;
    current.current = text;
    busy.current = false;
    setState(begun);

    const ask = async () => {
      clearTimeout(timer);
      if (asking || stop.signal.aborted || document.visibilityState === 'hidden') return;
      asking = true;
      let wait = pause;
      try {
        const where = first ? { tail } : { from: text.next };
        const page = await api.log(project, task, node, { ...where, attempt: pinned || undefined }, stop.signal);
        if (stop.signal.aborted) return;
        failures = 0;
        // While there is no attempt, the first one that begins is the one that is meant.
        if (page.attempt > 0) pinned = page.attempt;
        first = false;
        text.append(page.text, page.next);
        const behind = page.next < page.size && page.text !== '';
        const complete = page.complete && !behind;
        setState((s) => ({
          ...s,
          edition: page.text === '' ? s.edition : s.edition + 1,
          attempt: page.attempt,
          attempts: page.attempts,
          size: page.size,
          loaded: true,
          complete,
          error: undefined,
        }));
        if (complete) return;
        if (behind) wait = 0;
      } catch (error) {
        if (stop.signal.aborted) return;
        setState((s) => ({ ...s, error }));
        if (!(error instanceof ApiError) || !['offline', 'unavailable', 'too_many'].includes(error.code)) return;
        failures++;
        wait = error.retryAfter ?? Math.min(longest, pause * 2 ** failures);
      } finally {
        asking = false;
      }
      timer = setTimeout(ask, wait);
    };
    const now = () => void ask();
    const seen = () => document.visibilityState === 'visible' && now();
    wake.current = now;
    document.addEventListener('visibilitychange', seen);
    now();
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', seen);
    };
  }, [project, task, node, attempt, mark]);

  const { text, attempt: pinned } = state;
  const older = useCallback(() => {
    if (busy.current || text.start <= 0) return;
    busy.current = true;
    setState((s) => ({ ...s, loadingOlder: true }));
    const from = Math.max(0, text.start - olderBytes);
    const limit = Math.max(leastLimit, text.start - from);
    api
      .log(project, task, node, { from, limit, attempt: pinned || undefined })
      .then((page) => {
        if (current.current !== text) return;
        const start = page.next - bytes(page.text);
        text.prepend(cutBytes(page.text, text.start - start), start);
        setState((s) => ({ ...s, edition: s.edition + 1, loadingOlder: false }));
      })
      .catch((error: unknown) => {
        if (current.current === text) setState((s) => ({ ...s, error, loadingOlder: false }));
      })
      .finally(() => {
        if (current.current === text) busy.current = false;
      });
  }, [project, task, node, pinned, text]);
  const retry = useCallback(() => {
    setState((s) => ({ ...s, error: undefined }));
    wake.current();
  }, []);
  return { ...state, older, retry };
}

/** The first bytes of a text; a character is not cut where the log was. */
export function cutBytes(text: string, length: number): string {
  const encoded = new TextEncoder().encode(text);
  return encoded.length <= length ? text : new TextDecoder().decode(encoded.subarray(0, length));
}
