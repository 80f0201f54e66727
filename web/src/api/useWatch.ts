import { useEffect, useRef, useState } from 'react';
import type { WatchRequest } from './types';
import { type Feed, Watch, type WatchListener } from './watch';

/**
 * Follows tasks while the component is there, or nothing while `request` is undefined. The listener may be a new object in
 * each render. What it gives says how fresh all is, and a function that tries again at once.
 */
export function useWatch(
  project: number,
  request: WatchRequest | undefined,
  listener: Omit<WatchListener, 'feed'>,
): { feed: Feed; retry: () => void } {
  const [feed, setFeed] = useState<Feed>({ state: 'connecting' });
  const current = useRef(listener);
  const watch = useRef<Watch | undefined>(undefined);
  useEffect(() => {
    current.current = listener;
  });
  const about = request && JSON.stringify(request);
  useEffect(() => {
    if (about === undefined) return;
    const started = new Watch(project, JSON.parse(about), {
      tasks: (news) => current.current.tasks?.(news),
      gone: (ids) => current.current.gone?.(ids),
      nodes: (news) => current.current.nodes?.(news),
      cut: (cut) => current.current.cut?.(cut),
      feed: (now) => setFeed((before) => (same(before, now) ? before : now)),
    });
    watch.current = started;
    void started.run();
    const retry = () => started.retry();
    const visible = () => document.visibilityState === 'visible' && retry();
    addEventListener('online', retry);
    document.addEventListener('visibilitychange', visible);
    return () => {
      removeEventListener('online', retry);
      document.removeEventListener('visibilitychange', visible);
      started.stop();
      watch.current = undefined;
    };
  }, [project, about]);
  return { feed, retry: () => watch.current?.retry() };
}

// A poll that goes on is no news.
function same(a: Feed, b: Feed): boolean {
  return a.state === b.state && (a.state === 'connecting' || a.state === 'live' || a.state === 'polling');
}
