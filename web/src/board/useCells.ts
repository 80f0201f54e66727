import { useEffect, useRef, useState } from 'react';
import { api, type GraphNode } from '../api';
import type { Look } from '../ui';
import { looksOf } from './columns';
import type { Board } from './model';

/** How the nodes of the top level stand in each task, as of a revision of it. */
export type Cells = ReadonlyMap<number, { revision: number; looks: ReadonlyMap<number, Look> }>;

const pace = 1000;
const mostAtOnce = 200;

/** Keeps the cells of the tasks of one tree up to date: asks for those that changed, at most once a second. */
export function useCells(
  project: number,
  board: Board,
  tree: string,
  order: readonly GraphNode[] | undefined,
): { cells: Cells; error: unknown } {
  const [cells, setCells] = useState<Cells>(new Map());
  const [error, setError] = useState<unknown>();
  const current = useRef({ board, cells });
  useEffect(() => {
    current.current = { board, cells };
  });
  useEffect(() => {
    setCells(new Map());
    if (!order) return;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      const { board, cells } = current.current;
      const due = changedIn(board, tree, cells).slice(0, mostAtOnce);
      let wait = pace;
      if (due.length > 0 && document.visibilityState !== 'hidden') {
        try {
          const list = await api.status(project, { ids: due.map((d) => d.id), nodes: true, run: true }, stop.signal);
          setCells((before) => {
            const next = new Map(before);
            for (const task of list.tasks) {
              next.set(task.id, { revision: task.run?.revision ?? 0, looks: looksOf(task.nodes ?? [], order) });
            }
            return next;
          });
          setError(undefined);
          // The rest of a long list follows soon.
          if (due.length === mostAtOnce) wait = 100;
        } catch (e) {
          if (stop.signal.aborted) return;
          setError(e);
          wait = 5 * pace;
        }
      }
      if (!stop.signal.aborted) timer = setTimeout(ask, wait);
    };
    timer = setTimeout(ask, 0);
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [project, tree, order]);
  return { cells, error };
}

/** The tasks of a tree of which the cells are older than the board. */
export function changedIn(board: Pick<Board, 'tasks'>, tree: string, cells: Cells): { id: number; revision: number }[] {
  const due: { id: number; revision: number }[] = [];
  for (const { task } of board.tasks.values()) {
    if (task.run?.tree !== tree) continue;
    const { revision } = task.run;
    if ((cells.get(task.id)?.revision ?? -1) < revision) due.push({ id: task.id, revision });
  }
  return due;
}
