import { useState } from 'react';

/** A switch that stays in this browser as it was set last. */
export function useKept(name: string): [boolean, (on: boolean) => void] {
  const key = `stdops.${name}`;
  const [on, setOn] = useState(() => {
    try {
      return localStorage.getItem(key) === '1';
    } catch {
      return false;
    }
  });
  return [
    on,
    (next) => {
      setOn(next);
      try {
        if (next) localStorage.setItem(key, '1');
        else localStorage.removeItem(key);
      } catch {
        // It holds until the page is closed, then.
      }
    },
  ];
}
