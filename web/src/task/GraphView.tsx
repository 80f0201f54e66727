import '@xyflow/react/dist/base.css';
import { ReactFlow, ReactFlowProvider, useOnViewportChange, useReactFlow } from '@xyflow/react';
import { type KeyboardEvent, memo, useCallback, useEffect, useId, useMemo, useRef, useState } from 'react';
import { useI18n } from '../i18n';
import { Button, Empty, IconButton, kindKey, type Look, Skeleton, useAnnounce, useKeys } from '../ui';
import { Bar } from './Bar';
import { Cell, GraphContext, type GraphPlace, type ItemNode, manyName, nodeTypes } from './Cards';
import { draw, type Paint, readable, type Viewport } from './canvas';
import { allFolds, type Folds, firstFolds, foldsKey, groupsOf, type Item, makeView, toggle, unfold } from './fold';
import type { Box } from './layout';
import { Minimap, minimapUpTo } from './Minimap';
import { around, countsOf, plainName, type Tree } from './model';
import { type Direction, step } from './move';
import { usePaint } from './paint';
import type { RunStore, ViewProps } from './store';
import { useKeysHere } from './useKeysHere';
import { type Layout, useLayout } from './useLayout';
import { type LiveScene, lookOfItem, useScene } from './useScene';

/** The graph of a task. */
export default memo(function GraphView(props: ViewProps) {
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

function Graph({ tree, store, selected, onSelect }: ViewProps) {
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
  const only = useMemo(() => new Cell(false), []);
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
    () => ({ tree, store, cursor, only, onOpen, onToggle }),
    [tree, store, cursor, only, onOpen, onToggle],
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

  const scene = useScene(tree, store, layout, cursor, only);
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
          layout={layout}
          scene={scene}
          place={place}
          selected={selected}
          toFly={toFly}
          say={say}
          describedBy={described}
          onlyActive={onlyActive}
          onOnlyActive={(on) => {
            setOnlyActive(on);
            only.set(on);
          }}
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

const quiet = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

function Surface({
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
  const size = useRef({ w: 0, h: 0 });
  const viewport = useRef<Viewport>({ x: 0, y: 0, zoom: 1 });
  const paint = usePaint(outer);
  const { tree, store, cursor, only, onOpen, onToggle } = place;
  const { view, boxes } = layout;

  // Drawn at most once per frame, before the frame is shown. The canvas reaches beyond the area: while it is moved at one
  // zoom, what is drawn already moves along, and is drawn anew only when the edge comes near.
  const frame = useRef(0);
  const dirty = useRef(true);
  const drawn = useRef({ x: 0, y: 0, zoom: 0, whole: false });
  const settle = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const painted = useRef<{ live: LiveScene; paint: Paint | undefined }>({ live, paint });
  const [mapMoved] = useState(() => new Cell(0));
  const show = useCallback(() => {
    if (frame.current !== 0) return;
    frame.current = requestAnimationFrame(() => {
      frame.current = 0;
      const element = canvas.current;
      const c = element?.getContext('2d');
      const { live, paint } = painted.current;
      if (!element || !c || !paint) return;
      const now = viewport.current;
      const { w, h } = size.current;
      const [mx, my] = [marginOf(w), marginOf(h)];
      const before = drawn.current;
      const [dx, dy] = [now.x - before.x, now.y - before.y];
      const zoomed = before.zoom !== now.zoom;
      if (!dirty.current && !zoomed && before.whole && Math.abs(dx) <= mx && Math.abs(dy) <= my) {
        element.style.transform = `translate(${dx}px, ${dy}px)`;
        return;
      }
      dirty.current = false;
      // While it is zoomed the edges are left out: each frame is another picture.
      const area = zoomed ? { x: mx, y: my, w, h } : { x: 0, y: 0, w: w + 2 * mx, h: h + 2 * my };
      draw(c, live.scene, { x: now.x + mx, y: now.y + my, zoom: now.zoom }, area, devicePixelRatio, paint);
      element.style.transform = '';
      drawn.current = { ...now, whole: !zoomed };
      clearTimeout(settle.current);
      if (zoomed) settle.current = setTimeout(() => again.current(), 160);
    });
  }, []);
  const redraw = useCallback(() => {
    dirty.current = true;
    show();
  }, [show]);
  const again = useRef(redraw);
  useEffect(() => () => clearTimeout(settle.current), []);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);
  useEffect(() => {
    painted.current = { live, paint };
    redraw();
  }, [live, paint, redraw]);
  useEffect(() => store.subscribe(redraw), [store, redraw]);
  useEffect(() => only.subscribe(redraw), [only, redraw]);
  useEffect(() => cursor.subscribe(redraw), [cursor, redraw]);

  // The elements of the page: only while texts can be read, and only for what is in view or near it.
  const [near, setNear] = useState<Box | undefined>();
  const look = useCallback(() => {
    const { x, y, zoom } = viewport.current;
    const { w, h } = size.current;
    if (zoom < readable || w === 0) {
      setNear(undefined);
      return;
    }
    const seen = { x: -x / zoom, y: -y / zoom, w: w / zoom, h: h / zoom };
    setNear((old) => {
      const inside =
        old &&
        seen.x >= old.x &&
        seen.y >= old.y &&
        seen.x + seen.w <= old.x + old.w &&
        seen.y + seen.h <= old.y + old.h;
      if (inside && old.w < 4 * seen.w) return old;
      const [mx, my] = [seen.w / 2, seen.h / 2];
      return { x: seen.x - mx, y: seen.y - my, w: seen.w + 2 * mx, h: seen.h + 2 * my };
    });
  }, []);
  const rest = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(rest.current), []);
  useOnViewportChange({
    onChange: (v) => {
      // While it is moved its elements are one layer, which need not be painted anew; zoomed, texts are to stay sharp.
      outer.current?.classList.toggle('graph-moving', v.zoom === viewport.current.zoom);
      clearTimeout(rest.current);
      rest.current = setTimeout(() => outer.current?.classList.remove('graph-moving'), 250);
      viewport.current = v;
      show();
      look();
      mapMoved.set(mapMoved.get() + 1);
    },
  });
  const made = useRef<{ layout: Layout; nodes: Map<number, ItemNode> }>({ layout, nodes: new Map() });
  const nodes = useMemo(() => {
    if (made.current.layout !== layout) made.current = { layout, nodes: new Map() };
    if (!near) return [];
    const known = made.current.nodes;
    const shown: ItemNode[] = [];
    for (const { key } of live.places.within(near)) {
      const item = view.item.get(key);
      const box = boxes.get(key);
      if (!item || !box) continue;
      let node = known.get(key);
      if (!node) {
        node = nodeOf(item, box);
        known.set(key, node);
      }
      shown.push(node);
    }
    return shown.sort((a, b) => Number(b.type === 'frame') - Number(a.type === 'frame'));
  }, [near, layout, live, view, boxes]);

  // Size and resolution.
  const narrowed = useRef(() => {});
  useEffect(() => {
    const box = outer.current;
    const c = canvas.current;
    if (!box || !c) return;
    const measure = () => {
      const [w, h] = [box.clientWidth, box.clientHeight];
      const less = w < size.current.w;
      size.current = { w, h };
      const [mx, my] = [marginOf(w), marginOf(h)];
      c.width = Math.round((w + 2 * mx) * devicePixelRatio);
      c.height = Math.round((h + 2 * my) * devicePixelRatio);
      c.style.width = `${w + 2 * mx}px`;
      c.style.height = `${h + 2 * my}px`;
      c.style.left = `${-mx}px`;
      c.style.top = `${-my}px`;
      redraw();
      look();
      mapMoved.set(mapMoved.get() + 1);
      // The drawer took room: what it is about stays in view.
      if (less) narrowed.current();
    };
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(box);
    return () => watch.disconnect();
  }, [redraw, look, mapMoved]);

  const glide = useCallback((ms = 220) => (quiet() ? 0 : ms), []);
  const fitAll = useCallback(
    (ms: number) => {
      const { w, h } = size.current;
      const b = live.bounds;
      const zoom = Math.max(least, Math.min(1, (w - 48) / Math.max(1, b.w), (h - 48) / Math.max(1, b.h)));
      void flow.setViewport(
        { x: (w - b.w * zoom) / 2 - b.x * zoom, y: (h - b.h * zoom) / 2 - b.y * zoom, zoom },
        { duration: ms },
      );
    },
    [flow, live],
  );
  // Where the whole would be too small to tell anything, it begins at what needs a person, or at the start.
  const begin = useCallback(() => {
    const { w, h } = size.current;
    const b = live.bounds;
    if (Math.min((w - 48) / Math.max(1, b.w), (h - 48) / Math.max(1, b.h)) >= (w < narrow ? readable : tooSmall))
      return fitAll(0);
    const { items } = live.view;
    const at = (looks: readonly Look[]) => items.find((i) => !i.open && looks.includes(live.scene.look(i.key)));
    const item = at(['FAILED']) ?? at(['SUSPENDED', 'NODE_SUSPENDED']) ?? at(['RUNNING']) ?? items[0];
    const box = item && live.boxes.get(item.key);
    if (!box) return fitAll(0);
    // No further than the edge, and in the middle where all fits.
    const within = (at: number, from: number, long: number, room: number) =>
      long <= room ? from + long / 2 : Math.max(from + room / 2 - 24, Math.min(from + long - room / 2 + 24, at));
    const x = within(box.x + box.w / 2, b.x, b.w, w / readable);
    const y = within(box.y + box.h / 2, b.y, b.h, h / readable);
    void flow.setCenter(x, y, { zoom: readable });
  }, [flow, live, fitAll]);
  const flyTo = useCallback(
    (key: number, ms: number) => {
      const box = boxes.get(key);
      const area = outer.current;
      if (!box || !area) return;
      // As it is now: the drawer may just have taken room.
      const [w, h] = [area.clientWidth, area.clientHeight];
      const now = viewport.current;
      if (now.zoom >= readable) {
        const [left, top] = [box.x * now.zoom + now.x, box.y * now.zoom + now.y];
        const seen = left >= 8 && top >= 8 && left + box.w * now.zoom <= w - 8 && top + box.h * now.zoom <= h - 8;
        if (seen) return;
      }
      const zoom = Math.max(now.zoom, 0.9);
      const x = box.x + Math.min(box.w, w / zoom) / 2;
      const y = box.y + Math.min(box.h, h / zoom) / 2;
      void flow.setViewport({ x: w / 2 - x * zoom, y: h / 2 - y * zoom, zoom }, { duration: ms });
    },
    [flow, boxes],
  );
  useEffect(() => {
    narrowed.current = () => withCursor(cursor, (key) => flyTo(key, glide()));
  });
  const reveal = useCallback(
    (key: number) => {
      const box = boxes.get(key);
      const { x, y, zoom } = viewport.current;
      const { w, h } = size.current;
      if (!box) return;
      const [left, top] = [box.x * zoom + x, box.y * zoom + y];
      const seen = left >= 8 && top >= 8 && left + box.w * zoom <= w - 8 && top + box.h * zoom <= h - 8;
      if (!seen) void flow.setCenter(box.x + box.w / 2, box.y + box.h / 2, { zoom, duration: glide(140) });
    },
    [flow, boxes, glide],
  );

  // At first all of it, or the node that is chosen; later what was asked to be flown to, once it is laid out.
  const begun = useRef(false);
  const shown = useRef<number | undefined>(undefined);
  useEffect(() => {
    const first = !begun.current;
    begun.current = true;
    const goal = toFly.current ?? (selected !== shown.current ? selected : undefined);
    toFly.current = undefined;
    shown.current = selected;
    if (goal === -1) return begin();
    if (goal !== undefined) {
      const key = view.keyOf(goal);
      if (key === undefined) return first ? begin() : undefined;
      cursor.set(key);
      if (first) begin();
      return flyTo(key, first ? 0 : glide());
    }
    if (first) begin();
  }, [selected, begin, flyTo, view, cursor, toFly, glide]);

  const moveTo = (key: number | undefined) => {
    if (key === undefined) return;
    cursor.set(key);
    reveal(key);
    say(key);
  };
  const arrow = (to: Direction) => {
    const from = cursor.get();
    const start = from !== undefined && view.item.has(from) ? from : undefined;
    moveTo(start === undefined ? view.items[0]?.key : step(view, boxes, start, to));
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
        <label className="check">
          <input type="checkbox" checked={onlyActive} onChange={(e) => onOnlyActive(e.target.checked)} />
          <span>{t('task.graph.active')}</span>
        </label>
        {foldable && (
          <>
            <Button small onClick={() => onUnfoldAll(true)}>
              {t('task.graph.unfoldAll')}
            </Button>
            <Button small aria-disabled={!unfolded || undefined} onClick={() => onUnfoldAll(false)}>
              {t('task.graph.foldAll')}
            </Button>
          </>
        )}
        <span className="graph-zoom">
          <IconButton small label={`${t('task.graph.out')} (-)`} onClick={zoomOut}>
            <span aria-hidden="true">−</span>
          </IconButton>
          <IconButton small label={`${t('task.graph.in')} (+)`} onClick={zoomIn}>
            <span aria-hidden="true">+</span>
          </IconButton>
          <Button small title={`${t('task.graph.fit')} (0)`} onClick={() => fitAll(glide())}>
            {t('task.graph.fit')}
          </Button>
        </span>
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
            const hit = live.places.at(at.x, at.y, Math.min(12, 4 / viewport.current.zoom));
            outer.current?.focus({ preventScroll: true });
            if (!hit) return;
            if (hit.form !== 'frame') onOpen(hit.key);
            else cursor.set(hit.key);
          }}
          onPaneMouseMove={(e) => {
            if (viewport.current.zoom >= readable || !outer.current) return;
            const at = flow.screenToFlowPosition({ x: e.clientX, y: e.clientY }, { snapToGrid: false });
            const hit = live.places.at(at.x, at.y);
            const name = hit && hit.form !== 'frame' ? hit.name : '';
            if (outer.current.title !== name) outer.current.title = name;
          }}
        />
        {view.items.length <= minimapUpTo && (
          <Minimap
            live={live}
            store={store}
            paint={paint}
            viewport={viewport}
            size={size}
            moved={mapMoved}
            flow={flow}
          />
        )}
      </div>
    </>
  );
}

const noEdges: never[] = [];

// How far the canvas reaches beyond the area.
function marginOf(size: number): number {
  return Math.round(size / 4);
}

const least = 0.005;
// A card is some pixels then.
const tooSmall = 0.16;
// On a screen this narrow there is room for few nodes: it begins where they can be read.
const narrow = 560;
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
  };
}
