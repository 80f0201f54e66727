import { useCallback, useEffect, useMemo, useRef } from 'react';
import { useLocation, useNavigate } from 'react-router';

/** Changes values of the address; undefined takes one out. */
export type ChangeAddress = (change: Record<string, string | undefined>) => void;

/** Reads and changes what the address says besides the ids; the ids stay as they are written. */
export function useAddress(): [URLSearchParams, ChangeAddress] {
  const { search, pathname } = useLocation();
  const navigate = useNavigate();
  const params = useMemo(() => new URLSearchParams(search), [search]);
  const current = useRef(search);
  useEffect(() => {
    current.current = search;
  });
  const change = useCallback(
    (values: Record<string, string | undefined>) => {
      const kept = current.current
        .replace(/^\?/, '')
        .split('&')
        .filter((part) => part !== '' && !Object.hasOwn(values, part.split('=')[0] as string));
      for (const [name, value] of Object.entries(values)) {
        if (value) kept.push(`${name}=${encodeURIComponent(value).replaceAll('%2C', ',').replaceAll('%2F', '/')}`);
      }
      void navigate(
        { pathname, search: kept.length > 0 ? `?${kept.join('&')}` : '' },
        { replace: true, preventScrollReset: true },
      );
    },
    [navigate, pathname],
  );
  return [params, change];
}
