import { useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useRef, useState } from 'react';
import { api, type Task, type TaskEvent } from '../api';
import { useI18n } from '../i18n';
import { Button, Empty, ErrorBox, kindKey, type Look, Skeleton, StateMark, Time } from '../ui';
import { type Log, noEvents, withNewest, withOlder } from './events';
import { NodeLink } from './Header';
import { plainName, type Tree } from './model';
import { useLagging } from './useLagging';

const pageSize = 200;

// Of a long log one page may hold none of what people did: so many more are looked through for the next one.
const emptyPages = 10;

/** What has happened to a task and its nodes, the newest first; or only what people and programs did. */
export function Events({
  project,
  task,
  tree,
  asked: commands = false,
  onSelect,
}: {
  project: number;
  task: Task;
  tree: Tree | undefined;
  asked?: boolean;
  onSelect: (index: number) => void;
}) {
  const { t, tx } = useI18n();
  const [log, setLog] = useState<Log>(noEvents);
  const [loaded, setLoaded] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const revision = useLagging(task.run?.revision ?? 0, 1000);
  const read = useCallback(
    async (cursor: string | undefined, empty: number, signal?: AbortSignal) => {
      for (let at = cursor; ; ) {
        const page = await api.events(
          project,
          task.id,
          { order: 'desc', limit: pageSize, commands, cursor: at },
          signal,
        );
        if (page.events.length > 0 || page.next_cursor === undefined || --empty < 0) return page;
        at = page.next_cursor;
      }
    },
    [project, task.id, commands],
  );
  const begun = useRef(false);
  const newest = useCallback(
    async (signal: AbortSignal) => {
      const page = await read(undefined, begun.current ? 0 : emptyPages, signal);
      begun.current = true;
      setLog((old) => withNewest(old, page));
      setError(undefined);
      setLoaded(true);
    },
    [read],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: another revision means new events
  useEffect(() => {
    const stop = new AbortController();
    void newest(stop.signal).catch((e) => {
      if (!stop.signal.aborted) setError(e);
    });
    return () => stop.abort();
  }, [newest, revision]);

  const older = async () => {
    if (busy || log.older === undefined) return;
    setBusy(true);
    try {
      const page = await read(log.older, emptyPages);
      setLog((old) => withOlder(old, page));
      setError(undefined);
    } catch (e) {
      setError(e);
    }
    setBusy(false);
  };

  const outer = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: log.events.length,
    getScrollElement: () => outer.current,
    estimateSize: () => 36,
    getItemKey: (i) => {
      const e = log.events[i];
      return e ? `${e.revision}.${e.n}` : i;
    },
    overscan: 12,
  });
  if (!loaded) return error === undefined ? <Skeleton /> : <ErrorBox error={error} />;
  if (log.events.length === 0 && !commands) return <Empty title={t('task.noEvents')} />;
  return (
    <div className="events">
      {commands && (
        <p className="muted audit-made">
          {tx('task.audit.made', {
            user: <bdi>{plainName(task.creator, 80)}</bdi>,
            time: <Time at={task.created_at} />,
            from: task.parent
              ? t('task.audit.byTask', { id: task.parent })
              : plainName(task.app ?? '', 80) || t('task.source.person'),
          })}{' '}
          {t('task.audit.kept')}
        </p>
      )}
      {error !== undefined && <ErrorBox error={error} />}
      <div
        className="grid panel"
        role="table"
        aria-label={t(commands ? 'task.tab.audit' : 'task.tab.events')}
        aria-rowcount={-1}
      >
        <div className="grid-head" role="rowgroup">
          <div className="grid-row" role="row" tabIndex={-1}>
            {(['time', 'node', 'change', 'actor', 'reason'] as const).map((c) => (
              <div key={c} role="columnheader" tabIndex={-1} className={`grid-cell event-${c}`}>
                {t(c === 'change' && commands ? 'task.event.command' : `task.event.${c}`)}
              </div>
            ))}
          </div>
        </div>
        <div className="grid-scroll" data-virtual ref={outer} role="presentation">
          <div className="grid-inner" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
            {virtual.getVirtualItems().map((item) => {
              const event = log.events[item.index];
              if (!event) return null;
              return (
                <div
                  key={item.key}
                  ref={virtual.measureElement}
                  data-index={item.index}
                  role="row"
                  tabIndex={-1}
                  className="grid-row grid-line"
                  style={{ transform: `translateY(${item.start}px)` }}
                >
                  <Line event={event} kind={tree?.node.get(event.index)?.kind} asked={commands} onSelect={onSelect} />
                </div>
              );
            })}
          </div>
          {log.older !== undefined && (
            <div className="events-more">
              <Button busy={busy} onClick={() => void older()}>
                {t('task.olderEvents')}
              </Button>
            </div>
          )}
        </div>
      </div>
    </div>
  );
}

function Line({
  event,
  kind,
  asked,
  onSelect,
}: {
  event: TaskEvent;
  asked: boolean;
  /** Undefined when the node is not known. */
  kind: string | undefined;
  onSelect: (index: number) => void;
}) {
  const { t } = useI18n();
  return (
    <>
      <div role="cell" className="grid-cell event-time">
        <Time at={event.at} />
      </div>
      <div role="cell" className="grid-cell event-node">
        {event.index === 0 ? (
          <span>{t('task.event.task')}</span>
        ) : kind !== undefined ? (
          <NodeLink node={{ ...event, name: event.name || t(kindKey(kind)) }} onSelect={onSelect} />
        ) : (
          <bdi>{plainName(event.name, 120)}</bdi>
        )}
      </div>
      <div role="cell" className="grid-cell event-change">
        {event.command && (asked || event.from === event.to) && <span>{t(`do.${event.command}`)}</span>}
        {event.from && event.from !== event.to && (
          <>
            <span className="muted">{t(`state.${event.from}`)}</span> <span aria-hidden="true">→</span>{' '}
          </>
        )}
        {event.from !== event.to && <StateMark look={event.to as Look} />}
      </div>
      <div role="cell" className="grid-cell event-actor">
        {event.actor ? (
          <bdi>{plainName(event.actor, 80)}</bdi>
        ) : (
          <span className="muted">{t('task.event.server')}</span>
        )}
      </div>
      <div role="cell" className="grid-cell event-reason">
        {event.reason && <bdi>{plainName(event.reason, 1000)}</bdi>}
      </div>
    </>
  );
}
