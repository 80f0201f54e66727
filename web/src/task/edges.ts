import type { Link } from './fold';
import type { Box } from './layout';

/** A link with its line: start, two control points, end. */
export interface Line {
  link: Link;
  points: readonly [number, number, number, number, number, number, number, number];
  label: string;
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** The line of a link: from the right side of one box to the left side of the other. */
export function lineOf(link: Link, from: Box, to: Box, label: string): Line {
  const x1 = from.x + from.w;
  const y1 = from.y + from.h / 2;
  const x2 = to.x;
  const y2 = to.y + to.h / 2;
  let points: Line['points'];
  if (x2 >= x1 - 1) {
    const bend = Math.min(Math.max(24, (x2 - x1) / 2), 160);
    points = [x1, y1, x1 + bend, y1, x2 - bend, y2, x2, y2];
  } else {
    // It leads back: below both.
    const low = Math.max(from.y + from.h, to.y + to.h) + 40 + Math.min(200, (x1 - x2) / 12);
    points = [x1, y1, x1 + 90, low + 30, x2 - 90, low + 30, x2, y2];
  }
  const xs = [points[0], points[2], points[4], points[6]];
  const ys = [points[1], points[3], points[5], points[7]];
  return {
    link,
    points,
    label,
    left: Math.min(...xs),
    right: Math.max(...xs),
    top: Math.min(...ys),
    bottom: Math.max(...ys),
  };
}

type Point = readonly [number, number];

/** The head of the arrow at the end of a line: its tip and the two corners behind it. */
export function headOf({ points: [x1, , , , d, e, x2, y2] }: Pick<Line, 'points'>): readonly [Point, Point, Point] {
  const [dx, dy] = x2 < x1 ? [x2 - d, y2 - e] : [1, 0];
  const long = Math.hypot(dx, dy) || 1;
  const [ux, uy] = [dx / long, dy / long];
  return [
    [x2, y2],
    [x2 - 8 * ux - 4.5 * uy, y2 - 8 * uy + 4.5 * ux],
    [x2 - 8 * ux + 4.5 * uy, y2 - 8 * uy - 4.5 * ux],
  ];
}

/** Where the label of a line stands: in its middle. */
export function labelPlace({ points: [x1, y1, a, b, d, e, x2, y2] }: Pick<Line, 'points'>): { x: number; y: number } {
  return { x: (x1 + 3 * a + 3 * d + x2) / 8, y: (y1 + 3 * b + 3 * e + y2) / 8 };
}
