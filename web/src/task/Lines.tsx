import { ViewportPortal } from '@xyflow/react';
import { memo, useEffect, useReducer } from 'react';
import type { Cell } from './cell';
import { headOf, type Line, labelPlace } from './edges';
import type { Box } from './layout';
import type { LiveScene } from './useScene';

/**
 * The frames and lines in a part of the graph, while texts can be read. They are elements of the page behind the cards, and so
 * of one layer with them, which is moved without being painted anew.
 */
export const Lines = memo(function Lines({
  live: { scene, places },
  near,
  changes,
}: {
  live: LiveScene;
  near: Box;
  /** Tells when frames and lines may look otherwise. */
  changes: Cell<number>;
}) {
  const [, again] = useReducer((n: number) => n + 1, 0);
  useEffect(() => changes.subscribe(again), [changes]);
  const [right, bottom] = [near.x + near.w, near.y + near.h];
  const shown = scene.lines.filter(
    (l) =>
      l.left <= right &&
      l.right >= near.x &&
      l.top <= bottom &&
      l.bottom >= near.y &&
      !scene.hidden(l.link.from) &&
      !scene.hidden(l.link.to),
  );
  const taken = shown.filter((l) => scene.taken(l.link));
  const open = shown.filter((l) => !scene.taken(l.link));
  // The outer ones first, as in the scene.
  const within = places.within(near);
  const frames = scene.shapes.filter((s) => s.form === 'frame' && within.has(s) && !scene.hidden(s.key));
  return (
    <ViewportPortal>
      <svg
        className="graph-lines"
        aria-hidden="true"
        style={{ left: near.x, top: near.y }}
        width={near.w}
        height={near.h}
        viewBox={`${near.x} ${near.y} ${near.w} ${near.h}`}
      >
        {frames.map(({ key, box }) => (
          <rect
            key={key}
            className={key === scene.cursor ? 'graph-frame at' : 'graph-frame'}
            x={box.x}
            y={box.y}
            width={box.w}
            height={box.h}
            rx={10}
          />
        ))}
        <Paths className="graph-line" lines={open} />
        <Paths className="graph-line taken" lines={taken} />
        {shown
          .filter((l) => l.label)
          .map((line) => {
            const { x, y } = labelPlace(line);
            return (
              <text key={`${line.link.from} ${line.link.to}`} className="graph-label" x={x} y={y}>
                {line.label}
              </text>
            );
          })}
      </svg>
    </ViewportPortal>
  );
});

// One path for all that look alike: few elements, however many lines there are.
function Paths({ className, lines }: { className: string; lines: readonly Line[] }) {
  if (lines.length === 0) return null;
  return (
    <g className={className}>
      <path
        fill="none"
        d={lines
          .map(({ points: [x1, y1, a, b, d, e, x2, y2] }) => `M${x1} ${y1}C${a} ${b} ${d} ${e} ${x2} ${y2}`)
          .join('')}
      />
      <path stroke="none" d={lines.map((line) => `M${headOf(line).join('L')}z`).join('')} />
    </g>
  );
}
