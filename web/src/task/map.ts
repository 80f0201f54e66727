import type { Box } from './layout';

const most = { w: 180, h: 110 };
const least = { w: 64, h: 40 };
// A graph that is all length may take more of one side, so that its nodes do not run into each other.
const long = { w: 320, h: 200 };

/** The size of the overview, and how many of its pixels a unit of the graph is wide and high. */
export interface GraphMap {
  w: number;
  h: number;
  sx: number;
  sy: number;
}

/**
 * The overview of a graph within these bounds. Both sides are scaled alike, but for a graph so long and flat that it would
 * be a sliver: that one is stretched the other way.
 */
export function mapOf({ w, h }: Pick<Box, 'w' | 'h'>): GraphMap {
  const [wide, high] = [Math.max(1, w), Math.max(1, h)];
  const flat = wide / high > most.w / least.h;
  const steep = high / wide > most.h / least.w;
  const room = { w: flat ? long.w : most.w, h: steep ? long.h : most.h };
  const scale = Math.min(room.w / wide, room.h / high);
  const across = Math.max(least.w, Math.round(wide * scale));
  const down = Math.max(least.h, Math.round(high * scale));
  return { w: across, h: down, sx: across / wide, sy: down / high };
}
