import { useEffect, useState } from 'react';
import type { View } from './fold';
import { type Box, boxesOf, type Level, layered, layOut, levelsOf } from './layout';

/** Where the items of a view are drawn. */
export interface Layout {
  view: View;
  boxes: ReadonlyMap<number, Box>;
}

const kept = new Map<string, Float64Array>();
const mostKept = 24;
const prefix = 'stdops.layout.';
// In characters: a layout of some hundreds of nodes.
const longestStored = 60_000;

function recall(key: string): Float64Array | undefined {
  const known = kept.get(key);
  if (known) return known;
  try {
    const text = sessionStorage.getItem(prefix + key);
    if (text) return new Float64Array(JSON.parse(text) as number[]);
  } catch {
    // Not stored, or by another version: it is laid out again.
  }
  return undefined;
}

function remember(key: string, boxes: Float64Array, store: boolean): void {
  kept.set(key, boxes);
  for (const old of kept.keys()) {
    if (kept.size <= mostKept) break;
    kept.delete(old);
  }
  if (!store) return;
  try {
    const text = JSON.stringify(Array.from(boxes, Math.round));
    if (text.length <= longestStored) sessionStorage.setItem(prefix + key, text);
  } catch {
    // No room or no storage.
  }
}

let worker: Worker | undefined;
let asked = 0;
const waiting = new Map<number, (boxes: Float64Array | undefined) => void>();

function inWorker(levels: Level[]): Promise<Float64Array | undefined> {
  return new Promise((resolve) => {
    const id = ++asked;
    waiting.set(id, resolve);
    try {
      worker ??= start();
      worker.postMessage({ id, levels });
    } catch {
      waiting.delete(id);
      resolve(undefined);
    }
  });
}

function start(): Worker {
  const made = new Worker(new URL('./layout.worker.ts', import.meta.url), { type: 'module' });
  made.addEventListener('message', (e: MessageEvent<{ id: number; boxes: Float64Array }>) => {
    waiting.get(e.data.id)?.(e.data.boxes);
    waiting.delete(e.data.id);
  });
  made.addEventListener('error', () => {
    // It did not load: without it, the plain way is taken.
    worker = undefined;
    for (const resolve of waiting.values()) resolve(undefined);
    waiting.clear();
  });
  return made;
}

/** Lays a view out: at once where the tree has all places, else beside the page. The old layout stays until it is there. */
export function useLayout(view: View, key: string): Layout | undefined {
  const [layout, setLayout] = useState<Layout | undefined>(() => quick(view, key));
  useEffect(() => {
    let over = false;
    const at = quick(view, key);
    if (at) {
      setLayout((old) => (old?.view === view ? old : at));
      return;
    }
    const levels = levelsOf(view);
    void inWorker(levels).then((found) => {
      if (over) return;
      const boxes = found ?? layOut(levels, layered);
      remember(key, boxes, true);
      setLayout({ view, boxes: boxesOf(boxes) });
    });
    return () => {
      over = true;
    };
  }, [view, key]);
  return layout;
}

function quick(view: View, key: string): Layout | undefined {
  const known = recall(key);
  if (known && known.length === 5 * view.items.length) return { view, boxes: boxesOf(known) };
  const levels = levelsOf(view);
  if (levels.some((l) => l.places.length === 0)) return undefined;
  let short = false;
  const boxes = layOut(levels, (sizes) => {
    short = true;
    return new Array(sizes.length).fill(0);
  });
  // Places that would have to be stretched too much are given up.
  if (short) return undefined;
  remember(key, boxes, false);
  return { view, boxes: boxesOf(boxes) };
}
