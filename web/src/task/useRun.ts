import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import {
  ApiError,
  api,
  type Feed,
  type Graph,
  type NodeState,
  type States as Snapshot,
  type Task,
  useWatch,
} from '../api';
import { fromNodes } from './archive';
import { childrenMark, makeTree, type Tree } from './model';
import { RunStore, useStates } from './store';
import { useLagging } from './useLagging';

export interface RunOfTask {
  store: RunStore;
  task: Task | undefined;
  gone: boolean;
  tree: Tree | undefined;
  states: ReadonlyMap<number, NodeState>;
  /** The states are in: a node without one has none. */
  known: boolean;
  feed: Feed;
  retry: () => void;
  /** Why nothing is known of the task. */
  error: unknown;
  /** Why its graph is not known. */
  graphError: unknown;
  reload: () => void;
}

// Tasks of the same tree share a graph, and a tree never changes: its graph is kept for good.
const forever = { staleTime: Number.POSITIVE_INFINITY, gcTime: Number.POSITIVE_INFINITY };

const trees = new WeakMap<Graph, Tree>();

function treeOf(graph: Graph): Tree {
  let tree = trees.get(graph);
  if (!tree) {
    tree = makeTree(graph);
    trees.set(graph, tree);
  }
  return tree;
}

/** Follows one task: its graph, how its nodes stand, and what changes of it. */
export function useRun(project: number, id: number): RunOfTask {
  const client = useQueryClient();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another task begins with nothing known
  const store = useMemo(() => new RunStore(), [project, id]);
  const states = useQuery({
    queryKey: ['states', project, id],
    queryFn: async ({ signal }): Promise<Snapshot & { graph?: Graph }> => {
      try {
        return await api.states(project, id, signal);
      } catch (e) {
        if (!(e instanceof ApiError) || e.code !== 'not_found') throw e;
        // One that was deleted is still told about where many are asked for.
        const { tasks, now } = await api.status(project, { ids: [id], nodes: true }, signal);
        const deleted = tasks.find((t) => t.id === id && t.deleted);
        if (!deleted) throw e;
        const { graph, states } = fromNodes(deleted.nodes ?? []);
        return { task: deleted, now, nodes: states, graph };
      }
    },
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
  });
  const { data } = states;
  useEffect(() => {
    if (data) store.snapshot(data);
  }, [data, store]);
  const told = useSyncExternalStore(store.subscribe, store.current);
  const task = told ?? data?.task;
  const hash = task?.run?.tree;

  // Asked for at once, together with the states: their answer is not waited for.
  const first = useQuery({
    queryKey: ['graph of', project, id],
    queryFn: async ({ signal }) => {
      const graph = await api.graph(project, id, signal);
      client.setQueryDefaults(['graph', graph.tree], forever);
      // The old one of the same tree goes on: what was made of it need not be made anew.
      const kept = client.getQueryData<Graph>(['graph', graph.tree]) ?? graph;
      client.setQueryData(['graph', graph.tree], kept);
      return kept;
    },
    structuralSharing: false,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
  });
  const again = first.refetch;
  const shared = hash ? client.getQueryData<Graph>(['graph', hash]) : undefined;
  // Who has the page open when the task is deleted keeps its graph.
  const graph = shared ?? first.data ?? data?.graph;
  const tree = useMemo(() => graph && treeOf(graph), [graph]);
  // The task may have got another tree since.
  const outdated = !data?.graph && hash !== undefined && hash !== '' && graph !== undefined && graph.tree !== hash;
  useEffect(() => {
    if (outdated) void again();
  }, [outdated, again]);

  const missing = states.error instanceof ApiError && states.error.code === 'not_found';
  const ended = task?.deleted === true;
  const [over, setOver] = useState(false);
  const watching = id > 0 && !missing && !ended && !over;
  const { feed, retry } = useWatch(project, watching ? { ids: [id], nodes: true } : undefined, {
    tasks: (news) => {
      for (const t of news.tasks) if (t.id === id) store.task(t);
    },
    nodes: (news) => {
      if (news.task === id) store.nodes(news);
    },
    gone: (ids) => {
      if (!ids.includes(id)) return;
      store.gone();
      setOver(true);
      void states.refetch();
    },
  });
  // News of a task do not tell its children: it is asked for when one may have been made.
  const known = useStates(store);
  const making = useLagging(
    useMemo(() => (tree && watching ? childrenMark(tree, known) : ''), [tree, known, watching]),
    1000,
  );
  const { data: whole } = useQuery({
    queryKey: ['task', project, id, making],
    queryFn: ({ signal }) => api.task(project, id, signal),
    enabled: making !== '',
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  useEffect(() => {
    if (whole) store.task(whole);
  }, [whole, store]);
  const { refetch } = states;
  const reload = useCallback(() => {
    void refetch();
    void again();
  }, [refetch, again]);
  return {
    store,
    task,
    gone: useSyncExternalStore(store.subscribe, store.isGone),
    tree,
    states: known,
    known: told !== undefined,
    feed,
    retry,
    error: task ? undefined : states.error,
    graphError: graph ? undefined : first.error,
    reload,
  };
}
