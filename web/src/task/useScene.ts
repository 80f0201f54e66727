import { useMemo } from 'react';
import { useI18n } from '../i18n';
import type { Look } from '../ui';
import { countsOfItem } from './Cards';
import { Places, type Scene, type Shape } from './canvas';
import type { Cell } from './cell';
import { type Line, lineOf } from './edges';
import type { Item, Link, View } from './fold';
import type { Box } from './layout';
import { isEvent, isGateway, isTaken, lookOf, lookOfCounts, plainName, type States, type Tree } from './model';
import type { RunStore } from './store';
import type { Layout } from './useLayout';

/** How an item of the graph stands; a folded one as what is in it does. */
export function lookOfItem(tree: Tree, states: States, item: Item): Look {
  if (item.kind === 'node') return lookOf(states.get(item.key));
  const own = item.kind === 'sub' ? states.get(item.key) : undefined;
  if (own) return lookOf(own);
  const counts = countsOfItem(tree, states, item);
  return counts ? lookOfCounts(counts) : 'NONE';
}

function formOf(item: Item): Shape['form'] {
  if (item.open) return 'frame';
  if (item.kind !== 'node') return 'stack';
  if (isGateway(item.node)) return 'diamond';
  return isEvent(item.node) ? 'circle' : 'card';
}

/** What is drawn, and where all of it is. */
export interface LiveScene {
  scene: Scene;
  places: Places;
  bounds: Box;
  view: View;
  boxes: ReadonlyMap<number, Box>;
}

/** What is drawn. How nodes stand is looked up while drawing, so that a change makes nothing of it anew. */
export function useScene(
  tree: Tree,
  store: RunStore,
  layout: Layout | undefined,
  cursor: Cell<number | undefined>,
  shown: Cell<ReadonlySet<number> | undefined>,
): LiveScene | undefined {
  const { t } = useI18n();
  return useMemo(() => {
    if (!layout) return undefined;
    const { view, boxes } = layout;
    const shapes: Shape[] = [];
    const bounds = new Around();
    for (const item of view.items) {
      const box = boxes.get(item.key);
      if (!box) continue;
      shapes.push({ key: item.key, box, form: formOf(item), name: plainName(item.node.name, 60) });
      bounds.add(box.x, box.y, box.x + box.w, box.y + box.h);
    }
    const lines: Line[] = [];
    for (const link of view.links) {
      const [from, to] = [boxes.get(link.from), boxes.get(link.to)];
      if (from && to) lines.push(lineOf(link, from, to, labelOf(link, t('task.graph.otherwise'))));
    }
    let seen: States | undefined;
    let looks = new Map<number, Look>();
    let taken = new Map<Link, boolean>();
    const fresh = () => {
      const states = store.states();
      if (states !== seen) {
        seen = states;
        looks = new Map();
        taken = new Map();
      }
      return states;
    };
    const look = (key: number): Look => {
      const states = fresh();
      let known = looks.get(key);
      if (known === undefined) {
        const item = view.item.get(key);
        known = item ? lookOfItem(tree, states, item) : 'NONE';
        looks.set(key, known);
      }
      return known;
    };
    const scene: Scene = {
      shapes,
      lines,
      look,
      taken: (link) => {
        const states = fresh();
        let known = taken.get(link);
        if (known === undefined) {
          known = link.edges.some((e) => isTaken(tree, states, e));
          taken.set(link, known);
        }
        return known;
      },
      hidden: (key) => shown.get()?.has(key) === false,
      get cursor() {
        return cursor.get();
      },
    };
    return {
      scene,
      places: new Places(shapes),
      bounds: bounds.box(),
      view,
      boxes,
    };
  }, [layout, tree, store, cursor, shown, t]);
}

/** The least box around what is added. */
class Around {
  left = Infinity;
  top = Infinity;
  right = -Infinity;
  bottom = -Infinity;

  add(left: number, top: number, right: number, bottom: number): void {
    this.left = Math.min(this.left, left);
    this.top = Math.min(this.top, top);
    this.right = Math.max(this.right, right);
    this.bottom = Math.max(this.bottom, bottom);
  }

  box(more = 0): Box {
    return {
      x: this.left - more,
      y: this.top - more,
      w: this.right - this.left + 2 * more,
      h: this.bottom - this.top + 2 * more,
    };
  }
}

/** Around the items that are shown. */
export function boundsOf(live: LiveScene, shown: ReadonlySet<number> | undefined): Box {
  if (!shown || shown.size === 0) return live.bounds;
  const around = new Around();
  for (const key of shown) {
    const box = live.boxes.get(key);
    if (box) around.add(box.x, box.y, box.x + box.w, box.y + box.h);
  }
  return around.box();
}

/** Around the items that are shown and the lines between them. */
export function reachOf(live: LiveScene, shown: ReadonlySet<number> | undefined): Box {
  const around = new Around();
  const { x, y, w, h } = boundsOf(live, shown);
  around.add(x, y, x + w, y + h);
  for (const line of live.scene.lines) {
    if (live.scene.hidden(line.link.from) || live.scene.hidden(line.link.to)) continue;
    around.add(line.left, line.top, line.right, line.bottom);
  }
  return around.box(12);
}

const longestLabel = 28;

function labelOf(link: Link, otherwise: string): string {
  if (link.from < 0 || link.to < 0) return '';
  const edge = link.edges[0];
  const text = plainName(edge?.name || edge?.condition || '', longestLabel);
  return text || (edge?.default ? otherwise : '');
}
