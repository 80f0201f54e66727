import { useEffect, useRef } from 'react';

/**
 * Lets the log follow the attempt that is chosen above it: `back`, counted from the newest one of `attempts`. As long as that
 * stays, one that the address names (`linked`) comes first. 0 is told for the newest.
 */
export function useFollowed(
  { back, attempts, linked }: { back: number | undefined; attempts: number; linked: string },
  onAttempt: (attempt: number) => void,
): void {
  const followed = useRef(back);
  const tell = useRef(onAttempt);
  useEffect(() => {
    tell.current = onAttempt;
  });
  useEffect(() => {
    if (attempts === 0 || back === undefined || (linked !== '' && back === followed.current)) return;
    followed.current = back;
    tell.current(back === 0 ? 0 : Math.max(1, attempts - back));
  }, [back, attempts, linked]);
}
