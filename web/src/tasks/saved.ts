import { useCallback, useSyncExternalStore } from 'react';
import { type Range, ranges } from './query';

/** A view of the list that somebody named: what the box says, and the range. */
export interface SavedView {
  name: string;
  query: string;
  range: Range;
}

export const longestName = 40;
/** More would be no choice any more. */
export const mostViews = 30;

const longestQuery = 2000;
const kept = (project: number) => `stdops.views.${project}`;

/** What keeps a name from being given: it is empty, or another view has it. */
export type NameFault = 'empty' | 'taken';

// What is kept, in its order: an item as it is written there, and the view that it is understood as.
interface Kept {
  item: unknown;
  view?: SavedView;
}

/** Reads what is kept. What is no view, or was written by a later version, is left out. */
export function readViews(text: string | null): SavedView[] {
  return readKept(text).flatMap(({ view }) => view ?? []);
}

// Whatever a later version keeps is a list too, or has another key: what is no list at all is taken for damage.
function readKept(text: string | null): Kept[] {
  let list: unknown;
  try {
    list = JSON.parse(text ?? '[]');
  } catch {
    return [];
  }
  if (!Array.isArray(list)) return [];
  const views: SavedView[] = [];
  return (list as unknown[]).map((item) => {
    const view = views.length < mostViews ? viewOf(item, views) : undefined;
    if (view) views.push(view);
    return { item, view };
  });
}

function viewOf(item: unknown, before: readonly SavedView[]): SavedView | undefined {
  const { name, query, range } = (item ?? {}) as Record<string, unknown>;
  const known = ranges.find((r) => r === range);
  if (typeof name !== 'string' || typeof query !== 'string' || known === undefined) return undefined;
  if (nameFault(before, name) || name.length > longestName || query.length > longestQuery) return undefined;
  return { name, query, range: known };
}

/** Tells what is wrong with a name for a new view, or for the one that has the name `own` now. */
export function nameFault(views: readonly SavedView[], name: string, own?: string): NameFault | undefined {
  const wanted = name.trim().toLowerCase();
  if (wanted === '') return 'empty';
  return views.some((v) => v.name !== own && v.name.toLowerCase() === wanted) ? 'taken' : undefined;
}

const listeners = new Set<() => void>();
// What could not be kept counts until the page is closed.
const unkept = new Map<string, string>();

function textOf(project: number): string | null {
  const key = kept(project);
  try {
    return unkept.get(key) ?? localStorage.getItem(key);
  } catch {
    return unkept.get(key) ?? null;
  }
}

// Changes what is kept. What this version does not understand stays as it is: a page of a later one may be open beside it.
function change(project: number, how: (items: readonly Kept[]) => readonly unknown[]): void {
  const key = kept(project);
  const text = JSON.stringify(how(readKept(textOf(project))));
  try {
    localStorage.setItem(key, text);
    unkept.delete(key);
  } catch {
    unkept.set(key, text);
  }
  for (const tell of listeners) tell();
}

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  addEventListener('storage', tell); // another tab
  return () => {
    listeners.delete(tell);
    removeEventListener('storage', tell);
  };
}

let last: { text: string | null; views: SavedView[] } = { text: null, views: [] };

function viewsOf(text: string | null): SavedView[] {
  if (last.text !== text) last = { text, views: readViews(text) };
  return last.views;
}

/** The views of a project that are kept in this browser, and what changes them. */
export function useSaved(project: number) {
  const text = useSyncExternalStore(subscribe, () => textOf(project));
  const add = useCallback(
    (view: SavedView) => change(project, (items) => [...items.map(({ item }) => item), view]),
    [project],
  );
  const rename = useCallback(
    (from: string, to: string) =>
      change(project, (items) =>
        items.map(({ item, view }) => (view?.name === from ? { ...(item as object), name: to } : item)),
      ),
    [project],
  );
  const remove = useCallback(
    (name: string) =>
      change(project, (items) => items.filter(({ view }) => view?.name !== name).map(({ item }) => item)),
    [project],
  );
  return { views: viewsOf(text), add, rename, remove };
}
