import type { View } from './fold';
import type { Box } from './layout';

export type Direction = 'left' | 'right' | 'up' | 'down';

/**
 * Where an arrow leads from an item: left and right follow the edges, into frames and out of them; up and down lead to
 * what stands nearest there. Only items that have a box are led to.
 */
export function step(view: View, boxes: ReadonlyMap<number, Box>, from: number, to: Direction): number | undefined {
  const item = view.item.get(from);
  const box = boxes.get(from);
  if (!item || !box) return undefined;
  if (to === 'up' || to === 'down') return beside(view, boxes, from, to);
  const near = (keys: readonly number[]) => nearest(keys, boxes, box);
  if (to === 'right') {
    if (item.open) return view.items.find((i) => i.parent === from && boxes.has(i.key))?.key;
    const next = near(view.out.get(from) ?? []);
    if (next !== undefined) return next;
    return item.parent > 0 ? near(view.out.get(item.parent) ?? []) : undefined;
  }
  const before = near(view.into.get(from) ?? []);
  if (before !== undefined) return before;
  return boxes.has(item.parent) ? item.parent : undefined;
}

/** The items in order of execution, for where no edge leads on from one that is shown to another. */
export function nextShown(
  order: readonly number[],
  view: View,
  shown: ReadonlySet<number>,
  from: number,
  to: 1 | -1,
): number | undefined {
  const keys = order.map((index) => view.keyOf(index));
  const rest = to > 0 ? keys.slice(keys.lastIndexOf(from) + 1) : keys.slice(0, keys.indexOf(from)).reverse();
  return rest.find((key) => key !== undefined && key !== from && shown.has(key));
}

function nearest(keys: readonly number[], boxes: ReadonlyMap<number, Box>, to: Box): number | undefined {
  let best: number | undefined;
  let least = Infinity;
  for (const key of keys) {
    const box = boxes.get(key);
    if (!box) continue;
    const away = Math.abs(box.y + box.h / 2 - to.y - to.h / 2);
    if (away >= least) continue;
    least = away;
    best = key;
  }
  return best;
}

function beside(view: View, boxes: ReadonlyMap<number, Box>, from: number, to: 'up' | 'down'): number | undefined {
  const item = view.item.get(from);
  const box = boxes.get(from);
  if (!item || !box) return undefined;
  const [x, y] = [box.x + box.w / 2, box.y + box.h / 2];
  let best: number | undefined;
  let least = Infinity;
  for (const other of view.items) {
    if (other.key === from || other.parent !== item.parent) continue;
    const b = boxes.get(other.key);
    if (!b) continue;
    const dx = Math.abs(b.x + b.w / 2 - x);
    const dy = (b.y + b.h / 2 - y) * (to === 'down' ? 1 : -1);
    // In a sector of 45 degrees.
    if (dy < 4 || dx > dy + (box.w + b.w) / 4) continue;
    const away = dy + 2 * dx;
    if (away >= least) continue;
    least = away;
    best = other.key;
  }
  return best;
}
