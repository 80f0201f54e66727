import type { View } from './fold';
import { isEvent, isGateway } from './model';

/** Where something is drawn. */
export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** A level of the graph that is laid out by itself: the task, or an unfolded subprocess. */
export interface Level {
  key: number;
  keys: number[];
  /** Width and height of each. */
  sizes: number[];
  /** Where the tree has the middle of each; empty when it does not have all. */
  places: number[];
  /** Ends of the links, as places in keys. */
  links: number[];
}

export const card = { w: 180, h: 62 };
const gateway = { w: 44, h: 44 };
const event = { w: 38, h: 38 };
/** What a frame leaves free around its nodes; the top is higher, for its name. */
export const frame = { side: 18, top: 42 };

// How large the editors of trees draw their nodes: the position of the tree is the corner.
const drawn = { activity: { w: 154, h: 54 }, gateway: { w: 34, h: 34 }, event: { w: 34, h: 34 } };

/** Takes out of a view what its layout depends on, the inner levels behind the outer ones. */
export function levelsOf(view: View): Level[] {
  const levels = new Map<number, Level>();
  const at = new Map<number, number>();
  const without = new Set<number>();
  for (const item of view.items) {
    let level = levels.get(item.parent);
    if (!level) {
      level = { key: item.parent, keys: [], sizes: [], places: [], links: [] };
      levels.set(item.parent, level);
    }
    at.set(item.key, level.keys.length);
    level.keys.push(item.key);
    const { node } = item;
    const small = item.kind === 'node' ? (isGateway(node) ? gateway : isEvent(node) ? event : card) : card;
    level.sizes.push(small.w, small.h);
    const { x, y } = item.node;
    // Folded branches leave a hole in the drawing of the tree: what is left is laid out anew.
    if (x === undefined || y === undefined || item.kind === 'group') without.add(item.parent);
    else {
      const was = small === gateway ? drawn.gateway : small === event ? drawn.event : drawn.activity;
      level.places.push(x + was.w / 2, y + was.h / 2);
    }
  }
  for (const link of view.links) {
    const parent = view.item.get(link.from)?.parent ?? 0;
    const [from, to] = [at.get(link.from), at.get(link.to)];
    if (from !== undefined && to !== undefined) levels.get(parent)?.links.push(from, to);
  }
  for (const level of levels.values()) {
    if (without.has(level.key) || !areApart(level.places)) level.places = [];
    else align(level.places, level.sizes);
  }
  return [...levels.values()];
}

const crooked = 14;

// Gateways and events that stand nearly in a line with an activity, as people put them, come into line with it.
function align(places: number[], sizes: readonly number[]): void {
  const lines: number[] = [];
  for (let i = 1; i < places.length; i += 2) if (sizes[i] === card.h) lines.push(places[i] as number);
  lines.sort((a, b) => a - b);
  for (let i = 1; i < places.length; i += 2) {
    if (sizes[i] === card.h) continue;
    const y = places[i] as number;
    let [low, high] = [0, lines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((lines[middle] as number) < y) low = middle + 1;
      else high = middle;
    }
    const near = [lines[low - 1], lines[low]].filter((l) => l !== undefined && Math.abs(l - y) <= crooked) as number[];
    near.sort((a, b) => Math.abs(a - y) - Math.abs(b - y));
    if (near[0] !== undefined) places[i] = near[0];
  }
}

// Positions that are all the same say nothing.
function areApart(places: readonly number[]): boolean {
  if (places.length <= 2) return true;
  const seen = new Set<string>();
  for (let i = 0; i < places.length; i += 2) seen.add(`${places[i]} ${places[i + 1]}`);
  return seen.size > places.length / 4;
}

/** Places the nodes of a level by themselves: the middle of each. */
export type Placer = (sizes: readonly number[], links: readonly number[]) => number[];

/** Lays out all levels; the result has five numbers for each item: key, x, y, width, height. */
export function layOut(levels: readonly Level[], placer: Placer): Float64Array {
  const done = new Map<number, { level: Level; sizes: number[]; corners: number[] }>();
  const inner = new Map<number, { w: number; h: number }>();
  for (let i = levels.length - 1; i >= 0; i--) {
    const level = levels[i] as Level;
    const sizes = level.sizes.slice();
    level.keys.forEach((key, k) => {
      const size = inner.get(key);
      if (!size) return;
      sizes[2 * k] = size.w;
      sizes[2 * k + 1] = size.h;
    });
    const middles = level.places.length > 0 ? spread(level.places, level.sizes, sizes) : undefined;
    const placed = middles ?? placer(sizes, level.links);
    const corners: number[] = [];
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let k = 0; k < level.keys.length; k++) {
      const [w, h] = [sizes[2 * k] as number, sizes[2 * k + 1] as number];
      const x = (placed[2 * k] as number) - w / 2;
      const y = (placed[2 * k + 1] as number) - h / 2;
      corners.push(x, y);
      left = Math.min(left, x);
      top = Math.min(top, y);
      right = Math.max(right, x + w);
      bottom = Math.max(bottom, y + h);
    }
    for (let k = 0; k < corners.length; k += 2) {
      corners[k] = (corners[k] as number) - left;
      corners[k + 1] = (corners[k + 1] as number) - top;
    }
    done.set(level.key, { level, sizes, corners });
    inner.set(level.key, {
      w: Math.max(card.w, right - left + 2 * frame.side),
      h: Math.max(card.h, bottom - top + frame.top + frame.side),
    });
  }
  const result: number[] = [];
  const corner = new Map<number, { x: number; y: number }>([[0, { x: 0, y: 0 }]]);
  for (const { key } of levels) {
    const level = done.get(key);
    const from = corner.get(key);
    if (!level || !from) continue;
    level.level.keys.forEach((k, i) => {
      const x = from.x + (level.corners[2 * i] as number);
      const y = from.y + (level.corners[2 * i + 1] as number);
      corner.set(k, { x: x + frame.side, y: y + frame.top });
      result.push(k, x, y, level.sizes[2 * i] as number, level.sizes[2 * i + 1] as number);
    });
  }
  return new Float64Array(result);
}

const gap = { x: 36, y: 22 };
const mostScale = 4;

/**
 * Takes the places of the tree, stretched until no two cards overlap, and moves what stands beside unfolded subprocesses
 * away. Gives nothing where that would stretch too much.
 */
export function spread(
  places: readonly number[],
  cards: readonly number[],
  sizes: readonly number[],
): number[] | undefined {
  const n = places.length / 2;
  const order = Array.from({ length: n }, (_, i) => i).sort(
    (a, b) => (places[2 * a] as number) - (places[2 * b] as number),
  );
  let [sx, sy] = [1, 1];
  for (let i = 0; i < n; i++) {
    const a = order[i] as number;
    for (let j = i + 1; j < n; j++) {
      const b = order[j] as number;
      const dx = (places[2 * b] as number) - (places[2 * a] as number);
      const needX = ((cards[2 * a] as number) + (cards[2 * b] as number)) / 2 + gap.x;
      if (dx >= card.w + gap.x) break;
      const dy = Math.abs((places[2 * b + 1] as number) - (places[2 * a + 1] as number));
      const needY = ((cards[2 * a + 1] as number) + (cards[2 * b + 1] as number)) / 2 + gap.y;
      if (dx * sx >= needX || dy * sy >= needY) continue;
      const [byX, byY] = [needX / dx, needY / dy];
      // What stands beside is pulled apart sideways, what stands above each other up and down.
      if (byX / sx <= byY / sy) sx = byX;
      else sy = byY;
      if (Math.max(sx, sy) > mostScale) return undefined;
    }
  }
  const result: number[] = [];
  for (let i = 0; i < n; i++) result.push((places[2 * i] as number) * sx, (places[2 * i + 1] as number) * sy);
  for (const o of order) {
    const dw = (sizes[2 * o] as number) - (cards[2 * o] as number);
    const dh = (sizes[2 * o + 1] as number) - (cards[2 * o + 1] as number);
    if (dw <= 0 && dh <= 0) continue;
    const [x, y] = [result[2 * o] as number, result[2 * o + 1] as number];
    for (let i = 0; i < n; i++) {
      if (i === o) continue;
      const [ix, iy] = [result[2 * i] as number, result[2 * i + 1] as number];
      if (ix > x + 1) result[2 * i] = ix + dw;
      if (iy > y + card.h / 2) result[2 * i + 1] = iy + dh / 2;
      else if (iy < y - card.h / 2) result[2 * i + 1] = iy - dh / 2;
    }
    result[2 * o] = x + dw / 2;
  }
  return result;
}

/** Places nodes in layers from left to right; much faster than dagre, for levels of many nodes. */
export const layered: Placer = (sizes, links) => {
  const n = sizes.length / 2;
  const out: number[][] = Array.from({ length: n }, () => []);
  const into: number[][] = Array.from({ length: n }, () => []);
  for (let i = 0; i < links.length; i += 2) {
    const [a, b] = [links[i] as number, links[i + 1] as number];
    if (a !== b) (out[a] as number[]).push(b);
  }
  cutCycles(out);
  out.forEach((to, a) => {
    for (const b of to) (into[b] as number[]).push(a);
  });
  const rank = ranks(out, into);
  const layers: number[][] = [];
  for (let i = 0; i < n; i++) {
    const r = rank[i] as number;
    layers[r] ??= [];
    (layers[r] as number[]).push(i);
  }
  const place = new Float64Array(n);
  const number = (layer: number[]) =>
    layer.forEach((v, i) => {
      place[v] = i / Math.max(1, layer.length - 1);
    });
  layers.forEach(number);
  const mean = (v: number, by: readonly number[]) => {
    if (by.length === 0) return place[v] as number;
    let sum = 0;
    for (const b of by) sum += place[b] as number;
    return sum / by.length;
  };
  for (let sweep = 0; sweep < 6; sweep++) {
    const forward = sweep % 2 === 0;
    for (const layer of forward ? layers : layers.toReversed()) {
      const wanted = new Map(layer.map((v) => [v, mean(v, (forward ? into : out)[v] as number[])]));
      layer.sort((a, b) => (wanted.get(a) as number) - (wanted.get(b) as number));
      number(layer);
    }
  }
  const result: number[] = new Array(2 * n).fill(0);
  let x = 0;
  for (const layer of layers) {
    const widest = Math.max(...layer.map((v) => sizes[2 * v] as number));
    for (const v of layer) result[2 * v] = x + widest / 2;
    x += widest + 56;
  }
  const align = (layer: number[], by: number[][]) => {
    const wanted = layer.map((v) => {
      const near = by[v] as number[];
      if (near.length === 0) return result[2 * v + 1] as number;
      let sum = 0;
      for (const b of near) sum += result[2 * b + 1] as number;
      return sum / near.length;
    });
    let end = -Infinity;
    let off = 0;
    const ys = layer.map((v, i) => {
      const h = sizes[2 * v + 1] as number;
      const y = Math.max(wanted[i] as number, end + h / 2 + gap.y);
      end = y + h / 2;
      off += (wanted[i] as number) - y;
      return y;
    });
    layer.forEach((v, i) => {
      result[2 * v + 1] = (ys[i] as number) + off / layer.length;
    });
  };
  for (let round = 0; round < 2; round++) {
    for (const layer of layers) align(layer, into);
    for (const layer of layers.toReversed()) align(layer, out);
  }
  for (const layer of layers) align(layer, into);
  return result;
};

// Takes out the links that lead back, found by a walk in depth.
function cutCycles(out: number[][]): void {
  const color = new Uint8Array(out.length);
  for (let start = 0; start < out.length; start++) {
    if (color[start] !== 0) continue;
    const stack: { v: number; next: number }[] = [{ v: start, next: 0 }];
    color[start] = 1;
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const to = out[top.v] as number[];
      const w = to[top.next];
      if (w === undefined) {
        color[top.v] = 2;
        stack.pop();
      } else if (color[w] === 1) {
        to.splice(top.next, 1);
      } else {
        top.next++;
        if (color[w] === 0) {
          color[w] = 1;
          stack.push({ v: w, next: 0 });
        }
      }
    }
  }
}

function ranks(out: number[][], into: number[][]): Int32Array {
  const rank = new Int32Array(out.length);
  const left = into.map((i) => i.length);
  const ready: number[] = [];
  left.forEach((l, v) => {
    if (l === 0) ready.push(v);
  });
  for (let i = 0; i < ready.length; i++) {
    const v = ready[i] as number;
    for (const w of out[v] as number[]) {
      rank[w] = Math.max(rank[w] as number, (rank[v] as number) + 1);
      left[w] = (left[w] as number) - 1;
      if (left[w] === 0) ready.push(w);
    }
  }
  return rank;
}

/** Reads the result of a layout. */
export function boxesOf(numbers: Float64Array | readonly number[]): Map<number, Box> {
  const boxes = new Map<number, Box>();
  for (let i = 0; i + 4 < numbers.length; i += 5) {
    boxes.set(numbers[i] as number, {
      x: numbers[i + 1] as number,
      y: numbers[i + 2] as number,
      w: numbers[i + 3] as number,
      h: numbers[i + 4] as number,
    });
  }
  return boxes;
}
