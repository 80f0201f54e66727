import { useOnViewportChange } from '@xyflow/react';
import { type RefObject, useCallback, useEffect, useRef, useState } from 'react';
import { draw, type Paint, readable, type Viewport } from './canvas';
import { Cell } from './cell';
import type { Box } from './layout';
import type { LiveScene } from './useScene';

/** The elements of the page that show the graph. */
export interface Stage {
  /** The area that cuts off what is not in view. */
  area: RefObject<HTMLDivElement | null>;
  /** All of the graph while texts cannot be read. */
  canvas: RefObject<HTMLCanvasElement | null>;
}

/** Where the view is. */
export interface Sight {
  viewport: RefObject<Viewport>;
  /** The size of the area. */
  size: RefObject<{ w: number; h: number }>;
  /** Counts the changes of both. */
  moved: Cell<number>;
}

/** A view of the whole from its corner. */
export function useSight(): Sight {
  const viewport = useRef<Viewport>({ x: 0, y: 0, zoom: 1 });
  const size = useRef({ w: 0, h: 0 });
  const [moved] = useState(() => new Cell(0));
  const [sight] = useState<Sight>(() => ({ viewport, size, moved }));
  return sight;
}

// How long the view has not moved when it rests, and how long changes of states wait while it does not, in milliseconds.
const resting = 200;
const waiting = 1000;

// How far the canvas reaches beyond the area.
function marginOf(size: number): number {
  return Math.round(size / 4);
}

/**
 * Draws what is on the canvas at most once per frame, before the frame is shown. The canvas reaches beyond the area: while it
 * is moved at one zoom, what is drawn already moves along, and is drawn anew only when the edge comes near. Gives the part of
 * the graph for which there are elements of the page.
 */
export function useDrawing(
  { area, canvas }: Stage,
  { viewport, size, moved }: Sight,
  live: LiveScene,
  paint: Paint | undefined,
  narrowed: () => void,
): { near: Box | undefined; changes: Cell<number>; redraw: () => void; redrawSoon: () => void } {
  const [changes] = useState(() => new Cell(0));
  const frame = useRef(0);
  const dirty = useRef(true);
  const drawn = useRef({ x: 0, y: 0, zoom: 0, whole: false });
  const settle = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const painted = useRef({ live, paint });
  const show = useCallback(() => {
    if (frame.current !== 0) return;
    frame.current = requestAnimationFrame(() => {
      frame.current = 0;
      const element = canvas.current;
      const c = element?.getContext('2d');
      const { live, paint } = painted.current;
      if (!element || !c || !paint) return;
      const now = viewport.current;
      element.hidden = now.zoom >= readable;
      if (element.hidden) {
        if (dirty.current) changes.set(changes.get() + 1);
        dirty.current = false;
        drawn.current.whole = false;
        return;
      }
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
      const part = zoomed ? { x: mx, y: my, w, h } : { x: 0, y: 0, w: w + 2 * mx, h: h + 2 * my };
      draw(c, live.scene, { x: now.x + mx, y: now.y + my, zoom: now.zoom }, part, devicePixelRatio, paint);
      element.style.transform = '';
      drawn.current = { ...now, whole: !zoomed };
      clearTimeout(settle.current);
      if (zoomed) settle.current = setTimeout(() => again.current(), 160);
    });
  }, [canvas, viewport, size, changes]);
  const redraw = useCallback(() => {
    dirty.current = true;
    show();
  }, [show]);
  // What changes elsewhere while the view is moved may wait a little: each frame is to come in time.
  const late = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const movedAt = useRef(0);
  const redrawSoon = useCallback(() => {
    if (performance.now() - movedAt.current >= resting) redraw();
    else late.current ??= setTimeout(() => again.current(), waiting);
  }, [redraw]);
  const again = useRef(() => {
    late.current = undefined;
    redraw();
  });
  useEffect(
    () => () => {
      clearTimeout(settle.current);
      clearTimeout(late.current);
      late.current = undefined;
    },
    [],
  );
  useEffect(() => () => cancelAnimationFrame(frame.current), []);
  useEffect(() => {
    painted.current = { live, paint };
    redraw();
  }, [live, paint, redraw]);

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
  }, [viewport, size]);
  const rest = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(rest.current), []);
  useOnViewportChange({
    onChange: (v) => {
      // While it is moved its elements are one layer, which need not be painted anew; zoomed, texts are to stay sharp.
      area.current?.classList.toggle('graph-moving', v.zoom === viewport.current.zoom);
      clearTimeout(rest.current);
      rest.current = setTimeout(() => area.current?.classList.remove('graph-moving'), 250);
      viewport.current = v;
      movedAt.current = performance.now();
      show();
      look();
      moved.set(moved.get() + 1);
    },
  });

  // Size and resolution.
  const changed = useRef(narrowed);
  useEffect(() => {
    changed.current = narrowed;
  });
  useEffect(() => {
    const box = area.current;
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
      moved.set(moved.get() + 1);
      // The drawer took room: what it is about stays in view.
      if (less) changed.current();
    };
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(box);
    return () => watch.disconnect();
  }, [redraw, look, area, canvas, size, moved]);

  return { near, changes, redraw, redrawSoon };
}
