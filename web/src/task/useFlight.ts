import { useReactFlow } from '@xyflow/react';
import { type RefObject, useCallback, useEffect, useRef } from 'react';
import type { Look } from '../ui';
import { isUrgent } from './Cards';
import { readable } from './canvas';
import type { Cell } from './cell';
import type { Shown } from './only';
import type { Sight } from './useDrawing';
import { boundsOf, type LiveScene } from './useScene';

const quiet = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** How long a move of the view takes, in milliseconds: no time for who wants nothing to move. */
export function glide(ms = 220): number {
  return quiet() ? 0 : ms;
}

/** How far out the graph goes. */
export const least = 0.005;
// A card is some pixels then.
const tooSmall = 0.16;
// On a screen this narrow there is room for few nodes: it begins where they can be read.
const narrow = 560;

/** Moves the view: to all of the graph that is shown, to where it begins, and to a node. */
export function useFlight(
  area: RefObject<HTMLDivElement | null>,
  { viewport, size }: Sight,
  live: LiveScene,
  shown: Cell<Shown>,
) {
  const flow = useReactFlow();
  const { boxes } = live;
  const fitAll = useCallback(
    (ms: number) => {
      const { w, h } = size.current;
      const b = boundsOf(live, shown.get());
      const zoom = Math.max(least, Math.min(1, (w - 48) / Math.max(1, b.w), (h - 48) / Math.max(1, b.h)));
      void flow.setViewport(
        { x: (w - b.w * zoom) / 2 - b.x * zoom, y: (h - b.h * zoom) / 2 - b.y * zoom, zoom },
        { duration: ms },
      );
    },
    [flow, live, size, shown],
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
  }, [flow, live, fitAll, size]);
  const flyTo = useCallback(
    (key: number, ms: number) => {
      const box = boxes.get(key);
      if (!box || !area.current) return;
      // As it is now: the drawer may just have taken room.
      const [w, h] = [area.current.clientWidth, area.current.clientHeight];
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
    [flow, boxes, area, viewport],
  );
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
    [flow, boxes, viewport, size],
  );
  return { fitAll, begin, flyTo, reveal };
}

/** At first shows all of it, or the node that is chosen; later what was asked to be flown to, once it is laid out. */
export function useGoal(
  live: LiveScene,
  { begin, flyTo }: Pick<ReturnType<typeof useFlight>, 'begin' | 'flyTo'>,
  cursor: Cell<number | undefined>,
  selected: number | undefined,
  toFly: RefObject<number | undefined>,
): void {
  const { view } = live;
  const begun = useRef(false);
  const flown = useRef<number | undefined>(undefined);
  useEffect(() => {
    const first = !begun.current;
    begun.current = true;
    const goal = toFly.current ?? (selected !== flown.current ? selected : undefined);
    toFly.current = undefined;
    flown.current = selected;
    if (goal === -1) return begin();
    if (goal !== undefined) {
      const key = view.keyOf(goal);
      if (key === undefined) return first ? begin() : undefined;
      cursor.set(key);
      if (first) begin();
      return flyTo(key, first ? 0 : glide());
    }
    if (first) begin();
  }, [selected, begin, flyTo, view, cursor, toFly]);
}

/** Shows what a filter leaves once it is chosen, since that may be far from what was looked at. */
export function useFilterGoal(
  live: LiveScene,
  { viewport, size }: Sight,
  shown: Cell<Shown>,
  on: boolean,
  fitAll: (ms: number) => void,
): void {
  const before = useRef(on);
  useEffect(() => {
    if (before.current === on) return;
    before.current = on;
    const urgent = new Set([...(shown.get() ?? [])].filter((key) => isUrgent(live.scene.look(key))));
    const { x, y, zoom } = viewport.current;
    const { w, h } = size.current;
    const seen = live.places.within({ x: -x / zoom, y: -y / zoom, w: w / zoom, h: h / zoom });
    if (urgent.size > 0 && ![...seen].some(({ key }) => urgent.has(key))) fitAll(glide());
  }, [live, viewport, size, shown, on, fitAll]);
}
