import '@xyflow/react/dist/base.css';
import { ReactFlowProvider } from '@xyflow/react';
import { memo, useCallback, useEffect, useId, useMemo, useRef, useState } from 'react';
import type { Task } from '../api';
import { useI18n } from '../i18n';
import { Empty, kindKey, Skeleton, useAnnounce } from '../ui';
import { GraphContext, type GraphPlace, manyName } from './Cards';
import { Cell } from './cell';
import { allFolds, type Folds, firstFolds, foldsKey, makeView, toggle, unfold } from './fold';
import { around, countsOf, plainName, type Tree } from './model';
import type { Shown } from './only';
import { Surface } from './Surface';
import type { RunStore, ViewProps } from './store';
import { useLayout } from './useLayout';
import { lookOfItem, useScene } from './useScene';

/** The graph of a task. */
export default memo(function GraphView(props: ViewProps & { task: Task }) {
  const { t } = useI18n();
  if (props.tree.order.length === 0) return <Empty title={t('task.graph.empty')} />;
  return (
    <ReactFlowProvider>
      <Graph key={props.tree.graph.tree} {...props} />
    </ReactFlowProvider>
  );
});

// The folds of a tree stay while the page is open, for all tasks of that tree.
const foldsOf = new Map<string, Folds>();

function Graph({ task, tree, store, selected, onSelect }: ViewProps & { task: Task }) {
  const { t, number } = useI18n();
  const [folds, setFolds] = useState<Folds>(() => {
    const known = foldsOf.get(tree.graph.tree) ?? firstFolds(tree);
    return selected === undefined ? known : unfold(tree, known, around(tree, selected));
  });
  useEffect(() => {
    foldsOf.set(tree.graph.tree, folds);
  }, [tree, folds]);
  const view = useMemo(() => makeView(tree, folds), [tree, folds]);
  const layout = useLayout(view, `${tree.graph.tree};${foldsKey(folds)}`);
  const cursor = useMemo(() => new Cell<number | undefined>(undefined), []);
  const shown = useMemo(() => new Cell<Shown>(undefined), []);
  const [onlyActive, setOnlyActive] = useState(false);
  const toFly = useRef<number | undefined>(selected);
  const area = useRef<HTMLDivElement>(null);
  const announce = useAnnounce();
  const described = useId();

  const onToggle = useCallback(
    (key: number) => {
      setFolds((old) => toggle(tree, old, key));
      cursor.set(key);
      toFly.current = Math.abs(key);
    },
    [tree, cursor],
  );
  const onOpen = useCallback(
    (key: number) => {
      cursor.set(key);
      if (key > 0) onSelect(key);
      else onToggle(key);
    },
    [cursor, onSelect, onToggle],
  );
  const place = useMemo<GraphPlace>(
    () => ({ tree, store, cursor, shown, onOpen, onToggle }),
    [tree, store, cursor, shown, onOpen, onToggle],
  );

  // What is chosen elsewhere is unfolded; the surface flies to it.
  useEffect(() => {
    if (selected === undefined) return;
    const path = around(tree, selected);
    setFolds((old) => {
      const next = unfold(tree, old, path);
      if (next !== old) toFly.current = selected;
      return next;
    });
  }, [selected, tree]);

  const scene = useScene(tree, store, layout, cursor, shown);
  const summary = useSummary(tree, store);
  if (!layout || !scene) {
    return (
      <div className="graph">
        <Skeleton />
      </div>
    );
  }
  const say = (key: number) => {
    const item = layout.view.item.get(key);
    if (!item) return;
    const look = lookOfItem(tree, store.states(), item);
    const follow = layout.view.out.get(key)?.length ?? 0;
    announce(
      `${t('task.graph.at', {
        name: plainName(manyName(item, t, number), 120),
        kind: t(kindKey(item.node.kind)),
        state: t(`state.${look}`),
      })}${follow > 1 ? `, ${t('task.graph.next', { count: follow })}` : ''}`,
    );
  };
  return (
    <GraphContext value={place}>
      <div className="graph" ref={area}>
        <p id={described} className="hidden">
          {summary}
        </p>
        <Surface
          task={task}
          layout={layout}
          scene={scene}
          place={place}
          selected={selected}
          toFly={toFly}
          say={say}
          describedBy={described}
          onlyActive={onlyActive}
          onOnlyActive={setOnlyActive}
          onUnfoldAll={(on) => {
            toFly.current = -1;
            setFolds(allFolds(tree, on));
          }}
          onReveal={(index) => {
            toFly.current = index;
            setFolds((old) => unfold(tree, old, around(tree, index)));
          }}
        />
      </div>
    </GraphContext>
  );
}

function useSummary(tree: Tree, store: RunStore): string {
  const { t, number } = useI18n();
  const counts = countsOf(tree, store.states()).get(0);
  return t('task.graph.summary', {
    nodes: number(tree.order.length),
    failed: number(counts?.failed ?? 0),
    running: number(counts?.running ?? 0),
    paused: number(counts?.paused ?? 0),
    done: number(counts?.done ?? 0),
    total: number(counts?.total ?? 0),
  });
}
