import type { ReactFlowInstance } from '@xyflow/react';
import { type PointerEvent, useEffect, useRef } from 'react';
import type { Paint } from './canvas';
import type { Cell } from './cell';
import type { Shown } from './only';
import type { RunStore } from './store';
import type { Sight } from './useDrawing';
import type { LiveScene } from './useScene';

/** Above so many items the overview costs more than it tells. */
export const minimapUpTo = 3000;

const most = { w: 180, h: 110 };

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
  const scale = Math.min(most.w / Math.max(1, bounds.w), most.h / Math.max(1, bounds.h));
  const w = Math.max(40, Math.round(bounds.w * scale));
  const h = Math.max(24, Math.round(bounds.h * scale));

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const paintAll = () => {
      timer = undefined;
      const c = canvas.current?.getContext('2d');
      if (!c || !paint) return;
      const ratio = devicePixelRatio;
      c.canvas.width = w * ratio;
      c.canvas.height = h * ratio;
      c.scale(ratio * scale, ratio * scale);
      c.translate(-bounds.x, -bounds.y);
      for (const { key, box, form } of live.scene.shapes) {
        if (form === 'frame') continue;
        const look = live.scene.look(key);
        c.fillStyle = look === 'NONE' || live.scene.hidden(key) ? paint.rule : paint.looks[look];
        c.fillRect(box.x, box.y, Math.max(box.w, 1.5 / scale), Math.max(box.h, 1.5 / scale));
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
  }, [live, paint, store, shown, bounds, scale, w, h]);

  useEffect(() => {
    const move = () => {
      const { x, y, zoom } = viewport.current;
      const m = mark.current;
      if (!m || size.current.w === 0) return;
      const left = Math.max(0, (-x / zoom - bounds.x) * scale);
      const top = Math.max(0, (-y / zoom - bounds.y) * scale);
      const right = Math.min(w, ((size.current.w - x) / zoom - bounds.x) * scale);
      const bottom = Math.min(h, ((size.current.h - y) / zoom - bounds.y) * scale);
      m.style.transform = `translate(${left}px, ${top}px)`;
      m.style.width = `${Math.max(4, right - left)}px`;
      m.style.height = `${Math.max(4, bottom - top)}px`;
      // Where all is in view there is nothing to overlook.
      if (m.parentElement) {
        m.parentElement.style.visibility =
          right - left >= bounds.w * scale - 1 && bottom - top >= bounds.h * scale - 1 ? 'hidden' : 'visible';
      }
    };
    move();
    return moved.subscribe(move);
  }, [moved, viewport, size, bounds, scale, w, h]);

  const go = (e: PointerEvent<HTMLDivElement>) => {
    const at = e.currentTarget.getBoundingClientRect();
    const x = (e.clientX - at.left) / scale + bounds.x;
    const y = (e.clientY - at.top) / scale + bounds.y;
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
