import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from 'react';
import { api, serverClock, type Task, type TaskFilter, type TaskState, useWatch } from '../api';
import { isSlow, type UsualTask, usualKey, usualsOf } from '../usual';
import { waitsForPerson } from './query';
import { changeRows, noRows } from './rows';

export interface Wanted {
  project: number;
  filter: TaskFilter;
  state: TaskState | undefined;
  /** Only tasks in which a person has to do something. */
  waiting: boolean;
  /** Only tasks under way that take longer than usual. */
  slow: boolean;
  /** How many tasks the list had when the viewer left it. */
  length?: number;
}

const usualPage = 50;

const watched = 200; // of a filter, the most that the server follows

const mostIds = 1000; // that are followed one by one

/** How often it is looked which tasks have become slow: nothing else tells, for time alone makes them so. */
const slowEvery = 30_000;

const noUsuals: ReadonlyMap<string, UsualTask> = new Map();

/** The tasks of a filter, as they stand from moment to moment. */
export function useTasks({ project, filter, state, waiting, slow, length = 0 }: Wanted) {
  const [rows, change] = useReducer(changeRows, noRows);
  const [first] = useState(Math.min(watched, Math.max(usualPage, length)));
  const key = JSON.stringify([project, filter, state, waiting, slow]);
  const list = useInfiniteQuery({
    queryKey: ['tasks', project, filter, state, waiting, slow],
    queryFn: ({ pageParam, signal }) =>
      api.tasks(
        project,
        {
          ...filter,
          ...{ state, slow: slow || undefined, run: true, cursor: pageParam },
          limit: waiting || slow ? watched : pageParam === '' ? first : usualPage,
        },
        signal,
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  const { data, isPlaceholderData, hasNextPage, isFetching, fetchNextPage } = list;
  // What was told of trees lately stays known of tasks that are told without it.
  const [usuals, setUsuals] = useState(noUsuals);
  const learn = useCallback((tasks: readonly Task[]) => {
    const told = usualsOf(tasks);
    if (told.size > 0) setUsuals((known) => new Map([...known, ...told]));
  }, []);
  const fits = useCallback(
    (task: Task) => {
      if (waiting && !waitsForPerson(task)) return false;
      if (slow && !isSlow(task, usuals.get(usualKey(task)), serverNow())) return false;
      if (state !== undefined && task.state !== state) return false;
      return filter.created_from === undefined || Date.parse(task.created_at) >= Date.parse(filter.created_from);
    },
    [waiting, slow, usuals, state, filter.created_from],
  );

  useEffect(() => {
    if (!data || isPlaceholderData) return;
    const tasks = data.pages.flatMap((p) => p.tasks).filter((t) => !waiting || waitsForPerson(t));
    learn(tasks);
    change({ type: 'loaded', tasks, whole: !hasNextPage });
  }, [data, isPlaceholderData, hasNextPage, waiting, learn]);

  // A page may come out short: the list goes on until there is something to see.
  const pages = data?.pages.length ?? 0;
  const empty = !data?.pages.some((page) => page.tasks.some((task) => !waiting || waitsForPerson(task)));
  useEffect(() => {
    if (empty && hasNextPage && !isFetching && !isPlaceholderData && pages > 0 && pages < 5) void fetchNextPage();
  }, [empty, hasNextPage, isFetching, isPlaceholderData, pages, fetchNextPage]);

  const refreshCounts = useRefreshCounts(project);
  const news = (tasks: readonly Task[]) => {
    change({ type: 'news', tasks, fits });
    // A stream begins with all that it follows: what the list has already changes no count.
    const had = new Map(data?.pages.flatMap((page) => page.tasks.map((task) => [task.id, task.state])));
    const oldest = rows.shown.at(-1)?.id ?? 0;
    if (tasks.some(({ id, state: now }) => (had.get(id) ?? (id < oldest ? now : undefined)) !== now)) refreshCounts();
  };
  // What left a filter is not followed any more: how it stands now is looked up once.
  const gone = async (ids: number[]) => {
    change({ type: 'gone', ids });
    refreshCounts();
    const shown = ids.filter((id) => rows.shown.some((t) => t.id === id));
    if (shown.length === 0) return;
    try {
      const { tasks } = await api.status(project, { ids: shown, run: true });
      change({ type: 'refreshed', tasks });
    } catch {
      // They are marked as gone; the next answer about them tells more.
    }
  };
  const ready = data !== undefined && !isPlaceholderData;
  useQuery({
    queryKey: ['slow', project, filter, state],
    queryFn: async ({ signal }) => {
      const page = await api.tasks(project, { ...filter, state, slow: true, run: true, limit: watched }, signal);
      learn(page.tasks);
      const fits = (task: Task) => !waiting || waitsForPerson(task);
      change({ type: 'news', tasks: page.tasks, fits, all: page.next_cursor === undefined });
      return page.tasks.length;
    },
    enabled: slow && ready,
    initialData: 0, // the list has just been read
    staleTime: slowEvery,
    refetchInterval: slowEvery,
    refetchOnWindowFocus: false,
    gcTime: 0,
  });
  // Of which list it was told that not all of it is followed.
  const [cutKey, setCutKey] = useState<string>();
  const { keyword, creator, executor, flow } = filter;
  const ids = useMemo(() => rows.shown.map((t) => t.id), [rows.shown]);
  const { feed, retry } = useWatch(
    project,
    // Which tasks are slow no filter says: those that are shown are followed.
    !ready
      ? undefined
      : slow && ids.length > 0
        ? { ids: ids.slice(0, mostIds) }
        : { filter: { state, keyword, creator, executor, flow, limit: watched } },
    { tasks: (n) => news(n.tasks), gone, cut: (cut) => setCutKey(cut ? key : undefined) },
  );
  // Rows beyond what a filter is followed for are followed by their ids.
  const beyond = ids.slice(watched, watched + mostIds);
  useWatch(project, ready && !slow && beyond.length > 0 ? { ids: beyond } : undefined, {
    tasks: (n) => news(n.tasks),
    gone,
  });

  return {
    rows,
    list,
    feed,
    retry,
    /** Whether only the newest tasks that may be in it are followed. */
    cut: cutKey === key,
    /** Names the filter: another one is another list. */
    key,
    usuals: slow ? usuals : noUsuals,
    show: () => change({ type: 'show' }),
    /** Puts in how tasks stand after something was done to them. */
    put: news,
  };
}

// Counts are asked for again when something changed, but not each time.
function useRefreshCounts(project: number): () => void {
  const client = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void client.invalidateQueries({ queryKey: ['count', project] });
    }, 3000);
  };
}

/** How many tasks of a filter show each state. */
export function useCounts(project: number, filter: TaskFilter) {
  return useQuery({
    queryKey: ['count', project, filter],
    queryFn: ({ signal }) => api.count(project, filter, signal),
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  });
}

/** The flows of the project. */
export function useFlows(project: number) {
  return useQuery({
    queryKey: ['flows', project],
    queryFn: ({ signal }) => api.flows(project, signal),
    staleTime: 60_000,
  });
}

/** The moment by the clock of the server. */
export function serverNow(): number {
  return serverClock.now();
}
