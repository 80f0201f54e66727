import { useCallback, useLayoutEffect, useRef } from 'react';
import { useLocation, useNavigate, useNavigationType } from 'react-router';

const most = 500; // entries

// By the key of an entry of the history: the path of the one before it, if this page has seen it.
const before = new Map<string, string>();
// By its path: what the address of a screen said when it was seen last.
const seen = new Map<string, string>();

/** Notes how the viewer goes from screen to screen; once, around all of them. */
export function useTrail(): void {
  const location = useLocation();
  const how = useNavigationType();
  const last = useRef(location);
  useLayoutEffect(() => {
    const from = last.current;
    last.current = location;
    note(seen, location.pathname, location.search);
    if (from.key === location.key) return;
    const path = how === 'PUSH' ? from.pathname : how === 'REPLACE' ? before.get(from.key) : undefined;
    if (path !== undefined) note(before, location.key, path);
  }, [location, how]);
}

/** Goes to a screen as it was left: back in the history where the viewer has come from there. */
export function useBackTo(path: string): () => void {
  const { key } = useLocation();
  const navigate = useNavigate();
  return useCallback(() => {
    void (before.get(key) === path ? navigate(-1) : navigate(path + (seen.get(path) ?? '')));
  }, [key, path, navigate]);
}

function note(map: Map<string, string>, key: string, value: string): void {
  map.delete(key); // what was noted last is kept longest
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}
