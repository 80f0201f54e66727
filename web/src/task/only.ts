import { useEffect } from 'react';
import type { Look } from '../ui';
import { isUrgent } from './Cards';
import type { Cell } from './cell';
import type { View } from './fold';
import type { RunStore } from './store';
import type { LiveScene } from './useScene';

/** The keys of the items that are shown, undefined for all of them. */
export type Shown = ReadonlySet<number> | undefined;

/**
 * What is left when only what failed or is at work counts: that, what stands next to it, the frames around all this, and
 * where the keyboard is, since that was asked for. All stay in their places.
 */
export function shownOf(view: View, look: (key: number) => Look, cursor: number | undefined): ReadonlySet<number> {
  const shown = new Set<number>();
  const add = (key: number) => {
    for (let at: number | undefined = key; at; at = view.item.get(at)?.parent) {
      if (shown.has(at) || !view.item.has(at)) break;
      shown.add(at);
    }
  };
  for (const { key, open } of view.items) {
    if (open || !isUrgent(look(key))) continue;
    add(key);
    for (const near of view.into.get(key) ?? []) add(near);
    for (const near of view.out.get(key) ?? []) add(near);
  }
  if (cursor !== undefined) add(cursor);
  return shown;
}

/** Keeps up what is shown as nodes change and the keyboard moves. */
export function useShown(
  live: LiveScene,
  store: RunStore,
  cursor: Cell<number | undefined>,
  on: boolean,
  shown: Cell<Shown>,
): void {
  useEffect(() => {
    if (!on) {
      shown.set(undefined);
      return;
    }
    const again = () => {
      const next = shownOf(live.view, live.scene.look, cursor.get());
      const old = shown.get();
      if (!old || old.size !== next.size || [...next].some((key) => !old.has(key))) shown.set(next);
    };
    again();
    const stops = [store.subscribe(again), cursor.subscribe(again)];
    return () => {
      for (const stop of stops) stop();
    };
  }, [live, store, cursor, on, shown]);
}
