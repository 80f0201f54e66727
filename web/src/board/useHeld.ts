import { type FocusEvent, type PointerEvent, useMemo, useRef, useState } from 'react';
import { moved, type Place } from './order';

/**
 * Keeps an order in place while the pointer is over what is shown in it, or the focus is inside. Another `key`, which is
 * what the viewer chose, is followed at once.
 */
export function useHeld(
  places: readonly Place[],
  there: ReadonlyMap<number, unknown>,
  key: string,
): {
  shown: readonly Place[];
  /** How many tasks would come, go or move. */
  pending: number;
  release: () => void;
  hold: {
    onPointerEnter: (e: PointerEvent) => void;
    onPointerLeave: () => void;
    onFocus: () => void;
    onBlur: (e: FocusEvent) => void;
  };
} {
  const [held, setHeld] = useState<{ key: string; places: readonly Place[] }>();
  const inside = useRef({ pointer: false, focus: false });
  const counts = held !== undefined && held.key === key && held.places.length > 0;
  // The viewer chose another order while this one was held: that one is held from now on.
  if (held !== undefined && !counts && places.length > 0) setHeld({ key, places });
  const shown = useMemo(
    () => (counts ? held.places.filter((p) => there.has(p.id)) : places),
    [counts, held, places, there],
  );
  const pending = useMemo(() => (counts ? moved(held.places, places) : 0), [counts, held, places]);
  const take = () => setHeld((before) => before ?? { key, places });
  const leave = () => {
    if (!inside.current.pointer && !inside.current.focus) setHeld(undefined);
  };
  return {
    shown,
    pending,
    release: () => setHeld((before) => before && { key, places }),
    hold: {
      onPointerEnter: (e) => {
        // A finger does not rest on the page.
        if (e.pointerType === 'touch') return;
        inside.current.pointer = true;
        take();
      },
      onPointerLeave: () => {
        inside.current.pointer = false;
        leave();
      },
      onFocus: () => {
        inside.current.focus = true;
        take();
      },
      onBlur: (e) => {
        if (e.currentTarget.contains(e.relatedTarget)) return;
        inside.current.focus = false;
        leave();
      },
    },
  };
}
