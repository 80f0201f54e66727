import { useEffect, useMemo, useRef, useState } from 'react';
import { type Feed, serverClock, useWatch } from '../api';
import { type Board, emptyBoard, type News, takeUp } from './model';

/** After how many milliseconds at the earliest what is shown is made anew. */
const pace = 100;

/** Follows tasks. What comes in is taken up together, at the next frame, a few times a second. */
export function useBoard(project: number, ids: readonly number[]): { board: Board; feed: Feed; retry: () => void } {
  const start = useMemo(() => emptyBoard(ids), [ids]);
  const [state, setBoard] = useState(start);
  const board = state.ids === ids ? state : start;
  const waiting = useRef<News[]>([]);
  const planned = useRef<() => void>(undefined);

  useEffect(() => {
    waiting.current = [];
    setBoard(start);
    return () => {
      planned.current?.();
      planned.current = undefined;
    };
  }, [start]);

  const take = (news: News) => {
    waiting.current.push(news);
    planned.current ??= nextFrame(() => {
      planned.current = undefined;
      const all = waiting.current;
      waiting.current = [];
      setBoard((before) => takeUp(before.ids === ids ? before : start, all, serverClock.now()));
    });
  };
  const { feed, retry } = useWatch(project, ids.length > 0 ? { ids: [...ids] } : undefined, {
    tasks: ({ tasks }) => take({ tasks }),
    gone: (gone) => take({ gone }),
  });
  return { board, feed, retry };
}

let last = 0;

// Plans something for the next frame that is not too soon; a page in the background has no frames. Gives what cancels it.
function nextFrame(run: () => void): () => void {
  let frame = 0;
  const done = () => {
    last = performance.now();
    run();
  };
  const timer = setTimeout(
    () => {
      if (document.visibilityState === 'hidden') done();
      else frame = requestAnimationFrame(done);
    },
    Math.max(0, last + pace - performance.now()),
  );
  return () => {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
  };
}
