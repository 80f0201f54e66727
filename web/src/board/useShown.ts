import { useCallback, useMemo } from 'react';
import type { TaskState } from '../api';
import { taskStates } from '../api/types';
import { useEntryState } from '../app/useEntryState';
import { useI18n } from '../i18n';
import { groupings, groupsOf, linesOf } from './groups';
import { type Board, failingGroups } from './model';
import { arrange, type Filter, sorts } from './order';
import type { ChangeAddress } from './useAddress';
import { useHeld } from './useHeld';

const noneFolded: ReadonlySet<string> = new Set();

/** What of a board is shown, and in which order: by what the address and the search box say. */
export function useShown(board: Board, address: URLSearchParams, change: ChangeAddress) {
  const { compare } = useI18n();
  const [text, setText] = useEntryState('board.text', '');
  const [folded, setFolded] = useEntryState('board.folded', noneFolded);
  const sort = sorts.find((s) => s === address.get('sort')) ?? 'attention';
  const by = groupings.find((g) => g === address.get('group'));
  const stateText = address.get('state') ?? '';
  const node = address.get('node');

  const states = useMemo(() => {
    const chosen = stateText.split(',');
    return new Set(taskStates.filter((s) => chosen.includes(s)));
  }, [stateText]);
  const failing = useMemo(
    () => failingGroups({ failing: board.failing, trees: board.trees }),
    [board.failing, board.trees],
  );
  const chosen = node === null ? undefined : failing.find((g) => g.parts.some((p) => p.key === node));
  const filter = useMemo<Filter>(() => {
    if (node === null) return { states, text };
    return { states, text, tasks: new Set(chosen?.parts.flatMap((p) => [...p.tasks.keys()])) };
  }, [states, text, node, chosen]);
  const places = useMemo(() => arrange(board, filter, sort, compare, by), [board, filter, sort, compare, by]);
  const { shown, pending, release, hold } = useHeld(places, board.tasks, `${stateText} ${node} ${sort} ${by} ${text}`);
  const grouped = useMemo(() => (by ? groupsOf(board, shown) : undefined), [board, shown, by]);
  const lines = useMemo(() => linesOf(grouped, shown, folded), [grouped, shown, folded]);

  const fold = useCallback(
    (key: string) => {
      setFolded((before) => {
        const next = new Set(before);
        if (!next.delete(key)) next.add(key);
        return next;
      });
    },
    [setFolded],
  );
  const toggleState = (state: TaskState) => {
    const next = new Set(states);
    if (!next.delete(state)) next.add(state);
    change({ state: [...next].join(',') || undefined });
  };
  const clear = () => {
    setText('');
    change({ state: undefined, node: undefined });
  };
  return {
    /** What is searched for. */
    text,
    setText,
    sort,
    by,
    states,
    toggleState,
    /** The nodes that failed, and the one whose tasks are shown. */
    failing,
    chosen,
    /** Whether anything is left out, and what ends that. */
    filtered: states.size > 0 || text.trim() !== '' || node !== null,
    clear,
    /** The tasks in their order, and how many would move if it were not held. */
    shown,
    pending,
    release,
    hold,
    /** The same with the heads of groups, without what is folded. */
    lines,
    fold,
  };
}

/** What useShown gives. */
export type ShownTasks = ReturnType<typeof useShown>;
