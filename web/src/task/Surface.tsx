import { ReactFlow, useReactFlow } from '@xyflow/react';
import { type KeyboardEvent, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { useI18n } from '../i18n';
import { useKeys } from '../ui';
import { Bar } from './Bar';
import { type GraphPlace, type ItemNode, isUrgent, nodeTypes } from './Cards';
import { readable } from './canvas';
import type { Cell } from './cell';
import { Export } from './Export';
import { groupsOf, type Item } from './fold';
import { Lines } from './Lines';
import type { Box } from './layout';
import { Minimap, minimapUpTo } from './Minimap';
import { type Direction, nextShown, step } from './move';
import { useShown } from './only';
import { usePaint } from './paint';
import { Tools } from './Tools';
import { type Stage, useDrawing, useSight } from './useDrawing';
import { glide, least, useFilterGoal, useFlight, useGoal } from './useFlight';
import { useKeysHere } from './useKeysHere';
import type { Layout } from './useLayout';
import type { LiveScene } from './useScene';

/** The graph itself, with the line above it: shows what is in view, and takes mouse, touch and keys. */
export function Surface({
  task,
  layout,
  scene: live,
  place,
  selected,
  toFly,
  say,
  describedBy,
  onlyActive,
  onOnlyActive,
  onUnfoldAll,
  onReveal,
}: {
  task: { id: number; name: string };
  layout: Layout;
  scene: LiveScene;
  place: GraphPlace;
  selected: number | undefined;
  /** The node to fly to once it is laid out; -1 for the whole. */
  toFly: React.RefObject<number | undefined>;
  say: (key: number) => void;
  describedBy: string;
  onlyActive: boolean;
  onOnlyActive: (on: boolean) => void;
  onUnfoldAll: (unfolded: boolean) => void;
  onReveal: (index: number) => void;
}) {
  const { t } = useI18n();
  const flow = useReactFlow();
  const outer = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [stage] = useState<Stage>(() => ({ area: outer, canvas }));
  const sight = useSight();
  const { viewport } = sight;
  const paint = usePaint(outer);
  const { tree, store, cursor, shown, onOpen, onToggle } = place;
  const { view, boxes } = layout;
  const flight = useFlight(outer, sight, live, shown);
  const { fitAll, flyTo, reveal } = flight;
  const { near, changes, redraw, redrawSoon } = useDrawing(stage, sight, live, paint, () =>
    withCursor(cursor, (key) => flyTo(key, glide())),
  );
  useShown(live, store, cursor, onlyActive, shown);
  const left = useSyncExternalStore(shown.subscribe, shown.get);
  useEffect(() => store.subscribe(redrawSoon), [store, redrawSoon]);
  useEffect(() => shown.subscribe(redraw), [shown, redraw]);
  useEffect(() => cursor.subscribe(redraw), [cursor, redraw]);

  const made = useRef<{ layout: Layout; nodes: Map<number, ItemNode> }>({ layout, nodes: new Map() });
  const nodes = useMemo(() => {
    if (made.current.layout !== layout) made.current = { layout, nodes: new Map() };
    if (!near) return [];
    const known = made.current.nodes;
    const shown: ItemNode[] = [];
    for (const { key } of live.places.within(near)) {
      const item = view.item.get(key);
      const box = boxes.get(key);
      if (!item || !box || left?.has(key) === false) continue;
      let node = known.get(key);
      if (!node) {
        node = nodeOf(item, box);
        known.set(key, node);
      }
      shown.push(node);
    }
    return shown.sort((a, b) => Number(b.type === 'frame') - Number(a.type === 'frame'));
  }, [near, layout, live, view, boxes, left]);

  useGoal(live, flight, cursor, selected, toFly);
  useFilterGoal(live, sight, shown, onlyActive, fitAll);

  const moveTo = (key: number | undefined) => {
    if (key === undefined) return;
    cursor.set(key);
    reveal(key);
    say(key);
  };
  const arrow = (to: Direction) => {
    const from = cursor.get();
    const start = from !== undefined && view.item.has(from) ? from : undefined;
    const there = left ? new Map([...boxes].filter(([key]) => left.has(key))) : boxes;
    if (start === undefined) return moveTo(view.items.find((i) => there.has(i.key))?.key);
    const next = step(view, there, start, to);
    if (next !== undefined || !left || to === 'up' || to === 'down') return moveTo(next);
    moveTo(nextShown(tree.order, view, left, start, to === 'right' ? 1 : -1));
  };
  const zoomIn = () => void flow.zoomIn({ duration: glide(120) });
  const zoomOut = () => void flow.zoomOut({ duration: glide(120) });
  const press = (e: KeyboardEvent) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.target !== e.currentTarget) return;
    const at = cursor.get();
    if (e.key in arrows) arrow(arrows[e.key] as Direction);
    else if (e.key === 'Enter' && at !== undefined) onOpen(at);
    else if (e.key === ' ' && at !== undefined) onToggle(at);
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  const keysHere = useKeysHere();
  useKeys(t('task.graph.keys'), [
    { keys: '0', label: t('task.graph.fit'), run: () => fitAll(glide()) },
    { keys: '+', label: t('task.graph.in'), run: zoomIn },
    { keys: '-', label: t('task.graph.out'), run: zoomOut },
    ...(keysHere
      ? [
          { keys: 'ArrowLeft', label: t('task.graph.left'), run: () => focusAnd(outer.current, () => arrow('left')) },
          {
            keys: 'ArrowRight',
            label: t('task.graph.right'),
            run: () => focusAnd(outer.current, () => arrow('right')),
          },
          { keys: 'ArrowUp', label: t('task.graph.up'), run: () => focusAnd(outer.current, () => arrow('up')) },
          { keys: 'ArrowDown', label: t('task.graph.down'), run: () => focusAnd(outer.current, () => arrow('down')) },
          { keys: ' ', label: t('task.graph.toggle'), run: () => withCursor(cursor, onToggle) },
          { keys: 'Enter', label: t('task.graph.open'), run: () => withCursor(cursor, onOpen) },
        ]
      : []),
  ]);

  const groups = groupsOf(tree).size;
  const foldable = tree.children.size > 1 || groups > 0;
  const unfolded = view.items.some((i) => i.open) || view.items.filter((i) => i.kind === 'group').length < groups;
  return (
    <>
      <Bar
        tree={tree}
        onFind={(index) => {
          const key = view.keyOf(index);
          if (key === index || (key !== undefined && key < 0)) {
            cursor.set(key);
            flyTo(key, glide());
          } else onReveal(index);
        }}
        onOpen={(index) => onOpen(index)}
      >
        <Tools
          onlyActive={onlyActive}
          onOnlyActive={onOnlyActive}
          folds={foldable ? { unfolded, onUnfoldAll } : undefined}
          exported={<Export task={task} live={live} paint={paint} shown={left} />}
          onIn={zoomIn}
          onOut={zoomOut}
          onFit={() => fitAll(glide())}
        />
      </Bar>
      <div
        ref={outer}
        className="graph-area"
        role="application"
        aria-label={t('task.graph')}
        aria-describedby={describedBy}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrows move in it
        tabIndex={0}
        onKeyDown={press}
      >
        <canvas ref={canvas} className="graph-canvas" />
        <ReactFlow<ItemNode>
          nodes={nodes}
          edges={noEdges}
          nodeTypes={nodeTypes}
          nodesDraggable={false}
          nodesConnectable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          elementsSelectable={false}
          disableKeyboardA11y
          onlyRenderVisibleElements
          deleteKeyCode={null}
          selectionKeyCode={null}
          multiSelectionKeyCode={null}
          panActivationKeyCode={null}
          zoomOnDoubleClick={false}
          minZoom={least}
          maxZoom={2}
          proOptions={{ hideAttribution: true }}
          onNodeClick={(_, node) => onOpen(Number(node.id))}
          onPaneClick={(e) => {
            const at = flow.screenToFlowPosition({ x: e.clientX, y: e.clientY }, { snapToGrid: false });
            const hit = live.places.at(at.x, at.y, Math.min(12, 4 / viewport.current.zoom), live.scene.hidden);
            outer.current?.focus({ preventScroll: true });
            if (!hit) return;
            if (hit.form !== 'frame') onOpen(hit.key);
            else cursor.set(hit.key);
          }}
          onPaneMouseMove={(e) => {
            if (viewport.current.zoom >= readable || !outer.current) return;
            const at = flow.screenToFlowPosition({ x: e.clientX, y: e.clientY }, { snapToGrid: false });
            const hit = live.places.at(at.x, at.y, 0, live.scene.hidden);
            const name = hit && hit.form !== 'frame' ? hit.name : '';
            if (outer.current.title !== name) outer.current.title = name;
          }}
        >
          {near && <Lines live={live} near={near} changes={changes} />}
        </ReactFlow>
        {left && ![...left].some((key) => isUrgent(live.scene.look(key))) && (
          <p className="graph-note" role="status">
            {t('task.graph.nothing')}
          </p>
        )}
        {view.items.length <= minimapUpTo && (
          <Minimap live={live} store={store} paint={paint} shown={shown} sight={sight} flow={flow} />
        )}
      </div>
    </>
  );
}

const noEdges: never[] = [];

const arrows: Record<string, Direction> = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down' };

function focusAnd(area: HTMLElement | null, then: () => void): void {
  area?.focus({ preventScroll: true });
  then();
}

function withCursor(cursor: Cell<number | undefined>, then: (key: number) => void): void {
  const at = cursor.get();
  if (at !== undefined) then(at);
}

function nodeOf(item: Item, box: Box): ItemNode {
  return {
    id: String(item.key),
    type: item.open ? 'frame' : item.kind === 'node' ? 'node' : 'many',
    position: { x: box.x, y: box.y },
    width: box.w,
    height: item.open ? 40 : box.h,
    measured: { width: box.w, height: item.open ? 40 : box.h },
    data: { item },
    // Placed without a transform of its own: the browser goes through all of these whenever one card comes.
    style: { left: box.x, top: box.y, transform: 'none' },
  };
}
