import type { ReactFlowInstance } from '@xyflow/react';
import { type PointerEvent, useEffect, useRef } from 'react';
import { isUrgent } from './Cards';
import type { Paint } from './canvas';
import type { Cell } from './cell';
import { mapOf } from './map';
import type { Shown } from './only';
import type { RunStore } from './store';
import type { Sight } from './useDrawing';
import type { LiveScene } from './useScene';

/** Above so many items the overview costs more than it tells. */
export const minimapUpTo = 3000;

/** The whole graph, small, with what is in view. The keyboard has 0, + and - for it. */
export function Minimap({
  live,
  store,
  paint,
  shown,
  sight: { viewport, size, moved },
  flow,
}: {
  live: LiveScene;
  store: RunStore;
  paint: Paint | undefined;
  shown: Cell<Shown>;
  sight: Sight;
  // biome-ignore lint/suspicious/noExplicitAny: it takes the instance of any graph
  flow: Pick<ReactFlowInstance<any>, 'setCenter'>;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const mark = useRef<HTMLDivElement>(null);
  const { bounds } = live;
  const { w, h, sx, sy } = mapOf(bounds);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const paintAll = () => {
      timer = undefined;
      const c = canvas.current?.getContext('2d');
      if (!c || !paint) return;
      const ratio = devicePixelRatio;
      c.canvas.width = w * ratio;
      c.canvas.height = h * ratio;
      c.scale(ratio, ratio);
      // What needs a person comes last and is never lost among the others.
      for (const urgent of [false, true]) {
        const least = urgent ? 3 : 1.5;
        for (const { key, box, form } of live.scene.shapes) {
          if (form === 'frame') continue;
          const look = live.scene.look(key);
          if (isUrgent(look) !== urgent) continue;
          c.fillStyle = look === 'NONE' || live.scene.hidden(key) ? paint.rule : paint.looks[look];
          const [wide, high] = [Math.max(box.w * sx, least), Math.max(box.h * sy, least)];
          c.fillRect((box.x - bounds.x) * sx, (box.y - bounds.y) * sy, wide, high);
        }
      }
    };
    paintAll();
    const soon = () => {
      timer ??= setTimeout(paintAll, 500);
    };
    const stops = [store.subscribe(soon), shown.subscribe(paintAll)];
    return () => {
      for (const stop of stops) stop();
      clearTimeout(timer);
    };
  }, [live, paint, store, shown, bounds, sx, sy, w, h]);

  useEffect(() => {
    let [wide, high, all] = [-1, -1, false];
    const move = () => {
      const { x, y, zoom } = viewport.current;
      const m = mark.current;
      if (!m || size.current.w === 0) return;
      const left = Math.max(0, (-x / zoom - bounds.x) * sx);
      const top = Math.max(0, (-y / zoom - bounds.y) * sy);
      const right = Math.min(w, ((size.current.w - x) / zoom - bounds.x) * sx);
      const bottom = Math.min(h, ((size.current.h - y) / zoom - bounds.y) * sy);
      m.style.transform = `translate(${Math.min(left, w - 6)}px, ${Math.min(top, h - 6)}px)`;
      // Only a change of size makes the browser lay out anew.
      const [nowWide, nowHigh] = [Math.round(Math.max(6, right - left)), Math.round(Math.max(6, bottom - top))];
      if (nowWide !== wide || nowHigh !== high) {
        [wide, high] = [nowWide, nowHigh];
        m.style.width = `${wide}px`;
        m.style.height = `${high}px`;
      }
      // Where all is in view there is nothing to overlook.
      const nowAll = right - left >= bounds.w * sx - 1 && bottom - top >= bounds.h * sy - 1;
      if (nowAll !== all && m.parentElement) {
        all = nowAll;
        m.parentElement.style.visibility = all ? 'hidden' : 'visible';
      }
    };
    move();
    return moved.subscribe(move);
  }, [moved, viewport, size, bounds, sx, sy, w, h]);

  const go = (e: PointerEvent<HTMLDivElement>) => {
    const at = e.currentTarget.getBoundingClientRect();
    const x = (e.clientX - at.left) / sx + bounds.x;
    const y = (e.clientY - at.top) / sy + bounds.y;
    void flow.setCenter(x, y, { zoom: viewport.current.zoom });
  };
  return (
    <div
      className="minimap"
      aria-hidden="true"
      style={{ width: w, height: h }}
      onPointerDown={(e) => {
        e.preventDefault();
        e.currentTarget.setPointerCapture(e.pointerId);
        go(e);
      }}
      onPointerMove={(e) => e.buttons === 1 && go(e)}
    >
      <canvas ref={canvas} style={{ width: w, height: h }} />
      <div ref={mark} className="minimap-view" />
    </div>
  );
}
