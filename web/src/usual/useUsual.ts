import { type UseQueryOptions, useQueries, useQuery } from '@tanstack/react-query';
import { api, type Durations, type Task } from '../api';
import { treesOf, type Usual, usualKey, usualOf } from './usual';

// Kept once for all tasks that are told the same, whichever of them is asked about.
function question(project: number, key: string, task: number) {
  return {
    queryKey: ['durations', project, key],
    queryFn: ({ signal }) => api.durations(project, task, signal),
    staleTime: 60_000,
    select: usualIn,
  } satisfies UseQueryOptions<Durations, Error, { usual: Usual | undefined }>;
}

// A query has to give something.
const usualIn = (answer: Durations) => ({ usual: usualOf(answer) });

/** How long tasks such as this one take; nothing before it was started, or of one that is deleted. */
export function useUsual(project: number, task: Task | undefined): Usual | undefined {
  const key = task ? usualKey(task) : '';
  const asks = task !== undefined && key !== '' && task.started_at !== undefined && !task.deleted;
  return useQuery({ ...question(project, key, task?.id ?? 0), enabled: asks }).data?.usual;
}

/** What is known of such tasks by what others have asked. */
export function useKnownUsual(project: number, task: Task): Usual | undefined {
  return useQuery({ ...question(project, usualKey(task), task.id), enabled: false }).data?.usual;
}

/** How long tasks such as these take, by `usualKey`; asks again each minute while any of them is under way. */
export function useUsuals(project: number, tasks: Iterable<Task>): ReadonlyMap<string, Usual> {
  const trees = treesOf(tasks);
  const answers = useQueries({
    queries: trees.map(({ key, task }) => ({ ...question(project, key, task), refetchInterval: 60_000 })),
  });
  const known = trees.flatMap(({ key }, i) => {
    const usual = answers[i]?.data?.usual;
    return usual ? [[key, usual] as const] : [];
  });
  return new Map(known);
}
