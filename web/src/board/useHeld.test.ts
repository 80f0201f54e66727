import { act, renderHook } from '@testing-library/react';
import type { FocusEvent, PointerEvent } from 'react';
import { expect, test } from 'vitest';
import type { Place } from './order';
import { useHeld } from './useHeld';

const there = (...ids: number[]) => new Map(ids.map((id) => [id, true]));
const at = (...ids: number[]): Place[] => ids.map((id, rank) => ({ id, rank }));
const mouse = { pointerType: 'mouse' } as PointerEvent;
const away = { currentTarget: { contains: () => false } as unknown, relatedTarget: null } as FocusEvent;

function held(places: Place[], key = 'a') {
  return renderHook(
    (p: { places: Place[]; there: Map<number, boolean>; key: string }) => useHeld(p.places, p.there, p.key),
    {
      initialProps: { places, there: there(1, 2, 3, 4), key },
    },
  );
}
const shown = (hook: ReturnType<typeof held>) => hook.result.current.shown.map((p) => p.id);

test('the order stays while the pointer is inside, and follows when it leaves', () => {
  const hook = held(at(1, 2, 3));
  hook.rerender({ places: at(2, 1, 3), there: there(1, 2, 3), key: 'a' });
  expect(shown(hook)).toEqual([2, 1, 3]);
  act(() => hook.result.current.hold.onPointerEnter(mouse));
  hook.rerender({ places: at(3, 1, 2), there: there(1, 2, 3), key: 'a' });
  expect([shown(hook), hook.result.current.pending]).toEqual([[2, 1, 3], 2]);
  act(() => hook.result.current.hold.onPointerLeave());
  expect([shown(hook), hook.result.current.pending]).toEqual([[3, 1, 2], 0]);
});

test('the focus holds it too, until both are gone; a finger does not', () => {
  const hook = held(at(1, 2));
  act(() => hook.result.current.hold.onFocus());
  act(() => hook.result.current.hold.onPointerEnter(mouse));
  act(() => hook.result.current.hold.onPointerLeave());
  hook.rerender({ places: at(2, 1), there: there(1, 2), key: 'a' });
  expect(shown(hook)).toEqual([1, 2]);
  act(() => hook.result.current.hold.onBlur(away));
  expect(shown(hook)).toEqual([2, 1]);
  act(() => hook.result.current.hold.onPointerEnter({ pointerType: 'touch' } as PointerEvent));
  hook.rerender({ places: at(1, 2), there: there(1, 2), key: 'a' });
  expect(shown(hook)).toEqual([1, 2]);
});

test('what the viewer asks for is followed at once, and held from there', () => {
  const hook = held(at(1, 2, 3));
  act(() => hook.result.current.hold.onPointerEnter(mouse));
  hook.rerender({ places: at(3, 2), there: there(1, 2, 3), key: 'b' });
  expect(shown(hook)).toEqual([3, 2]);
  hook.rerender({ places: at(2, 3, 1), there: there(1, 2, 3), key: 'b' });
  expect([shown(hook), hook.result.current.pending]).toEqual([[3, 2], 3]);
  act(() => hook.result.current.release());
  expect([shown(hook), hook.result.current.pending]).toEqual([[2, 3, 1], 0]);
});

test('a task that went away does not stay', () => {
  const hook = held(at(1, 2, 3));
  act(() => hook.result.current.hold.onFocus());
  hook.rerender({ places: at(1, 3), there: there(1, 3), key: 'a' });
  expect(shown(hook)).toEqual([1, 3]);
});

test('an empty list holds nothing', () => {
  const hook = held([]);
  act(() => hook.result.current.hold.onPointerEnter(mouse));
  hook.rerender({ places: at(4, 1), there: there(1, 4), key: 'a' });
  expect([shown(hook), hook.result.current.pending]).toEqual([[4, 1], 0]);
});
