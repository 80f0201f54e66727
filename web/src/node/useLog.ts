import { useCallback, useEffect, useRef, useState } from 'react';
import { api, type Feed, followLog, type NodeLog } from '../api';
import { LogText } from './logText';

/** How many lines of a log are there at first. */
const tail = 1000;
const pageBytes = 1 << 20;
const aroundBytes = 128 << 10;
const leastLimit = 1024;

export interface LogState {
  /** What is loaded: a part of the log without gaps. */
  text: LogText;
  /** Raised with each change of the text. */
  edition: number;
  /** The attempt that it is of; 0 while there is none. */
  attempt: number;
  attempts: number;
  size: number;
  /** Whether anything has been answered yet. */
  loaded: boolean;
  /** Nothing will be added to the log. */
  complete: boolean;
  /** What is loaded ends before the log does, and does not follow it. */
  apart: boolean;
  feed: Feed;
  error?: unknown;
  loading?: 'older' | 'newer' | 'elsewhere';
}

const nothing = (): LogState => ({
  text: new LogText(),
  edition: 0,
  attempt: 0,
  attempts: 0,
  size: 0,
  loaded: false,
  complete: false,
  apart: false,
  feed: { state: 'connecting' },
});

export type Log = LogState & {
  older: () => void;
  newer: () => void;
  /** Loads the end again, where the log is followed. */
  newest: () => void;
  /** Loads what is around a line, of which the first byte may be known, and gives the number of a line that there is. */
  around: (line: number, from?: number) => Promise<number | undefined>;
  retry: () => void;
};

/**
 * Reads the end of the log of an attempt of a node (0: the newest) and follows it until it is complete; `mark` begins
 * anew when it changes. While the page is hidden nothing is asked.
 */
export function useLog(of: { project: number; task: number; node: string; attempt: number; mark: string }): Log {
  const [state, setState] = useState(nothing);
  const wake = useRef<() => void>(() => {});
  const busy = useRef(false);
  const current = useRef<LogText>(state.text);
  // How far the log is known to go, and whether what is loaded ends before that and does not follow it.
  const end = useRef({ size: 0, apart: false });
  const { project, task, node, attempt, mark } = of;

  // biome-ignore lint/correctness/useExhaustiveDependencies: another mark is another log
  useEffect(() => {
    const begun = nothing();
    let stop: AbortController | undefined;
    let pinned = attempt;
    let complete = false;
    let first = true;
    current.current = begun.text;
    end.current = { size: 0, apart: false };
    busy.current = false;
    setState(begun);

    const part = (p: NodeLog) => {
      if (p.attempt > 0) pinned = p.attempt;
      const text = current.current;
      const changed = first || p.next > text.next;
      let replaced = false;
      if (first) begin(text, p);
      else if (p.from <= text.next && changed) goOn(text, p);
      else if (changed && !end.current.apart) {
        // More has come than was asked for while nobody looked. What is being loaded beside the rest does not fit any more.
        current.current = new LogText();
        begin(current.current, p);
        busy.current = false;
        replaced = true;
      }
      first = false;
      const now = current.current;
      const apart = end.current.apart && now.next < p.size;
      end.current = { size: p.size, apart };
      setState((s) => ({
        ...s,
        text: now,
        edition: s.edition + 1,
        attempt: p.attempt,
        attempts: p.attempts,
        size: p.size,
        loaded: true,
        apart,
        loading: replaced ? undefined : s.loading,
        error: undefined,
      }));
    };
    const follow = () => {
      stop?.abort();
      if (complete || document.visibilityState === 'hidden') return;
      stop = new AbortController();
      void followLog(
        { project, task, node, attempt: pinned },
        tail,
        {
          part,
          complete: () => {
            complete = true;
            setState((s) => ({ ...s, complete: true }));
          },
          feed: (feed) => setState((s) => ({ ...s, feed, error: feed.state === 'ended' ? feed.error : s.error })),
        },
        stop.signal,
      );
    };
    wake.current = follow;
    document.addEventListener('visibilitychange', follow);
    follow();
    return () => {
      stop?.abort();
      document.removeEventListener('visibilitychange', follow);
    };
  }, [project, task, node, attempt, mark]);

  const { attempt: pinned } = state;
  // One part at a time; one that comes when another log is shown is dropped.
  const load = useCallback(
    async (what: LogState['loading'], read: (ask: Ask) => Promise<LogText | undefined>): Promise<boolean> => {
      const text = current.current;
      if (busy.current) return false;
      busy.current = true;
      setState((s) => ({ ...s, loading: what }));
      let size = 0;
      const ask = async (page: Page) => {
        const answer = await api.log(project, task, node, { ...page, attempt: pinned || undefined });
        size = answer.size;
        if (current.current !== text) throw new Replaced();
        return answer;
      };
      try {
        const now = (await read(ask)) ?? text;
        current.current = now;
        size = Math.max(end.current.size, size);
        const apart = now.next < size;
        end.current = { size, apart };
        setState((s) => ({
          ...s,
          text: now,
          edition: s.edition + 1,
          size,
          apart,
          loading: undefined,
          error: undefined,
        }));
        busy.current = false;
        return true;
      } catch (error) {
        if (current.current !== text) return false;
        busy.current = false;
        setState((s) => ({ ...s, error, loading: undefined }));
        return false;
      }
    },
    [project, task, node, pinned],
  );
  const older = useCallback(() => {
    const text = current.current;
    if (text.start <= 0) return;
    void load('older', async (ask) => {
      const from = Math.max(0, text.start - pageBytes);
      const page = await ask({ from, limit: Math.max(leastLimit, text.start - from) });
      goBack(text, page);
      return undefined;
    });
  }, [load]);
  const newer = useCallback(() => {
    const text = current.current;
    void load('newer', async (ask) => {
      const page = await ask({ from: text.next, limit: pageBytes });
      if (page.from === text.next) goOn(text, page);
      return undefined;
    });
  }, [load]);
  const newest = useCallback(() => {
    void load('newer', async (ask) => {
      const page = await ask({ tail });
      const text = new LogText();
      begin(text, page);
      return text;
    });
  }, [load]);
  const around = useCallback(
    async (line: number, from?: number) => {
      let found = line;
      const done = await load('elsewhere', async (ask) => {
        let at = from;
        if (at === undefined) {
          const there = await ask({ line, limit: leastLimit });
          at = there.from;
          found = there.line ?? line;
        }
        const page = await ask({ from: Math.max(0, at - aroundBytes), limit: 3 * aroundBytes });
        const text = new LogText();
        begin(text, { ...page, text: skipBytes(page.text, at - page.from), from: at, line: found });
        goBack(text, page);
        return text;
      });
      return done ? found : undefined;
    },
    [load],
  );
  const retry = useCallback(() => {
    setState((s) => ({ ...s, error: undefined }));
    wake.current();
  }, []);
  return { ...state, older, newer, newest, around, retry };
}

type Page = { from?: number; limit?: number; tail?: number; line?: number };
type Ask = (page: Page) => Promise<NodeLog>;

function begin(text: LogText, part: NodeLog): void {
  text.append(part.text, part.next, part.line);
  if (part.text !== '') text.mark(part.from, part.times);
}

function goOn(text: LogText, part: NodeLog): void {
  text.append(skipBytes(part.text, text.next - part.from), part.next);
  if (part.text !== '') text.mark(part.from, part.times);
}

function goBack(text: LogText, part: NodeLog): void {
  text.prepend(cutBytes(part.text, text.start - part.from), part.from);
  if (part.text !== '') text.mark(part.from, part.times);
}

class Replaced extends Error {}

/** The first bytes of a text; a character is not cut where the log was. */
export function cutBytes(text: string, length: number): string {
  const encoded = new TextEncoder().encode(text);
  return encoded.length <= length ? text : new TextDecoder().decode(encoded.subarray(0, length));
}

/** What comes after the first bytes of a text. */
export function skipBytes(text: string, length: number): string {
  return length <= 0 ? text : new TextDecoder().decode(new TextEncoder().encode(text).subarray(length));
}
