import { act, renderHook } from '@testing-library/react';
import { beforeEach, expect, test } from 'vitest';
import { longestName, mostViews, nameFault, readViews, type SavedView, useSaved } from './saved';

beforeEach(() => localStorage.clear());

const view = (name: string, more: Partial<SavedView> = {}): SavedView => ({
  name,
  query: 'state:failed',
  range: '7d',
  ...more,
});

test('what is no view is left out', () => {
  const good = view('good');
  const bad = [
    null,
    7,
    'text',
    [],
    {},
    { ...good, name: 7 },
    { ...good, name: ' ' },
    { ...good, name: 'GOOD' },
    { ...good, name: 'x'.repeat(longestName + 1) },
    { ...good, name: 'b', range: 'soon' },
    { ...good, name: 'c', query: 'x'.repeat(3000) },
    { ...good, name: 'd', query: undefined },
  ];
  expect(readViews(JSON.stringify([good, ...bad]))).toEqual([good]);
  for (const text of [null, '', '{', '{}', '7', 'null']) expect(readViews(text), String(text)).toEqual([]);
  const many = Array.from({ length: mostViews + 5 }, (_, i) => view(`view ${i}`));
  expect(readViews(JSON.stringify(many))).toHaveLength(mostViews);
});

test('a name is there, and is no other view’s', () => {
  const views = [view('Nightly'), view('Mine')];
  expect(nameFault(views, '  ')).toBe('empty');
  expect(nameFault(views, ' nightly ')).toBe('taken');
  expect(nameFault(views, 'NIGHTLY', 'Nightly')).toBeUndefined();
  expect(nameFault(views, 'Mine', 'Nightly')).toBe('taken');
  expect(nameFault(views, 'other')).toBeUndefined();
});

test('views are added, renamed and removed, each project has its own, and they are kept', () => {
  const { result } = renderHook(() => ({ one: useSaved(1), two: useSaved(2) }));
  act(() => {
    result.current.one.add(view('a'));
    result.current.one.add(view('b', { query: '', range: 'all' }));
    result.current.two.add(view('other'));
  });
  act(() => result.current.one.rename('a', 'z'));
  expect(result.current.one.views.map((v) => v.name)).toEqual(['z', 'b']);
  expect(result.current.two.views.map((v) => v.name)).toEqual(['other']);
  act(() => result.current.one.remove('b'));
  expect(renderHook(() => useSaved(1)).result.current.views).toEqual([view('z')]);
});

test('what another tab does is seen', () => {
  const { result } = renderHook(() => useSaved(1));
  act(() => {
    localStorage.setItem('stdops.views.1', JSON.stringify([view('there')]));
    dispatchEvent(new StorageEvent('storage'));
  });
  expect(result.current.views.map((v) => v.name)).toEqual(['there']);
});

test('what a later version has written stays when this one writes', () => {
  const later = { name: 'by flow', query: '', range: 'this-week', columns: ['flow'] };
  const wider = { ...view('wide'), columns: ['flow', 'by'] };
  const kept = () => JSON.parse(localStorage.getItem('stdops.views.1') ?? 'null');
  localStorage.setItem('stdops.views.1', JSON.stringify([later, wider, view('old')]));
  const { result } = renderHook(() => useSaved(1));
  expect(result.current.views).toEqual([view('wide'), view('old')]);
  act(() => result.current.add(view('new')));
  act(() => result.current.rename('wide', 'wider'));
  act(() => result.current.remove('old'));
  expect(kept()).toEqual([later, { ...wider, name: 'wider' }, view('new')]);
  const many = Array.from({ length: mostViews + 5 }, (_, i) => view(`view ${i}`));
  localStorage.setItem('stdops.views.1', JSON.stringify(many));
  act(() => result.current.remove('view 0'));
  expect(kept()).toEqual(many.slice(1));
});
