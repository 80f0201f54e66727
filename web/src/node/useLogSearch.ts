import { useEffect, useRef, useState } from 'react';
import { api, type LogHit } from '../api';

/** How many lines are gathered at most, and how many bytes an answer looks through. */
export const mostHits = 5000;
const window = 2 << 20;
const typing = 250;

export interface LogSearch {
  /** What was looked for; it is behind what is typed. */
  wanted: string;
  hits: LogHit[];
  /** Bytes of the log that were looked through. */
  searched: number;
  /** As much was looked through as there is, or as many lines were found as are gathered. */
  done: boolean;
  error?: unknown;
}

const none: LogSearch = { wanted: '', hits: [], searched: 0, done: false };

/** Looks for a text in the whole log on the server, and again in what is added. */
export function useLogSearch(
  of: { project: number; task: number; node: string; attempt: number; size: number },
  wanted: string,
): LogSearch {
  const [found, setFound] = useState(none);
  const { project, task, node, attempt, size } = of;
  const progress = useRef({ key: '', cursor: '', search: none });
  const key = JSON.stringify([project, task, node, attempt, wanted]);
  useEffect(() => {
    if (wanted === '' || attempt === 0) {
      progress.current = { key, cursor: '', search: none };
      setFound(none);
      return;
    }
    const at = progress.current.key === key ? progress.current : { key, cursor: '', search: { ...none, wanted } };
    progress.current = at;
    if (at.search.searched >= size && at.cursor !== '') return;
    const stop = new AbortController();
    const run = async () => {
      try {
        for (let more = true; more; ) {
          const page = { attempt, search: wanted, cursor: at.cursor || undefined, limit: window };
          const answer = await api.searchLog(project, task, node, page, stop.signal);
          // The last line is found again when it has grown.
          const before = at.search.hits.filter((h) => h.line < (answer.hits[0]?.line ?? Number.POSITIVE_INFINITY));
          const hits = [...before, ...answer.hits];
          at.cursor = answer.cursor;
          more = answer.searched < answer.size && hits.length < mostHits;
          at.search = { wanted, hits, searched: answer.searched, done: !more };
          setFound(at.search);
        }
      } catch (error) {
        if (!stop.signal.aborted) setFound({ ...at.search, done: true, error });
      }
    };
    // What is typed is waited for, and so is what comes in small pieces.
    const timer = setTimeout(() => void run(), at.cursor === '' ? typing : 1000);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [project, task, node, attempt, wanted, size, key]);
  return found;
}
