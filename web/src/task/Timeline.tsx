import { useVirtualizer } from '@tanstack/react-virtual';
import { type CSSProperties, type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { api, isUnderWay, type Task, type TaskEvent, useServerNow } from '../api';
import { useI18n } from '../i18n';
import { Button, Empty, ErrorBox, IconButton, Skeleton, span, useKeys } from '../ui';
import { useUsual } from '../usual';
import { criticalPath } from './critical';
import { isNewer } from './events';
import { LaneRow } from './Lane';
import { closedAtFirst } from './outline';
import { useStates, type ViewProps } from './store';
import { type Lane, lanesOf, pausesOf, piecesOf, tickStep } from './timeline';
import { useLagging } from './useLagging';

interface Props extends ViewProps {
  project: number;
  task: Task;
}

const pageSize = 1000;
const mostPages = 20;

// All events of a task from the oldest on, as far as is sensible; what comes is put behind.
function useAllEvents(project: number, task: Task) {
  const [events, setEvents] = useState<readonly TaskEvent[]>([]);
  const [state, setState] = useState<{ asked: boolean; cut: boolean; error: unknown }>({
    asked: false,
    cut: false,
    error: undefined,
  });
  const cursor = useRef<{ at: string | undefined; pages: number }>({ at: undefined, pages: 0 });
  const revision = useLagging(task.run?.revision ?? 0, 1000);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another revision means new events
  useEffect(() => {
    const stop = new AbortController();
    const load = async () => {
      for (;;) {
        const page = await api.events(
          project,
          task.id,
          { order: 'asc', limit: pageSize, cursor: cursor.current.at },
          stop.signal,
        );
        setEvents((old) => {
          const last = old.at(-1);
          const added = last ? page.events.filter((e) => isNewer(e, last)) : page.events;
          return added.length > 0 ? [...old, ...added] : old;
        });
        setState({ asked: true, cut: false, error: undefined });
        if (page.next_cursor === undefined) return;
        if (cursor.current.pages >= mostPages) {
          setState({ asked: true, cut: true, error: undefined });
          return;
        }
        // The last page is asked for again: more may stand on it then.
        cursor.current = { at: page.next_cursor, pages: cursor.current.pages + 1 };
      }
    };
    void load().catch((error) => {
      if (!stop.signal.aborted) setState((old) => ({ ...old, asked: true, error }));
    });
    return () => stop.abort();
  }, [project, task.id, revision]);
  return { events, ...state };
}

const laneHeight = 32;
const axisHeight = 28;
const widest = 200_000;

/** What each node did when: one lane for each, in order of start. */
export default function Timeline({ project, task, tree, store, selected, onSelect }: Props) {
  const { t, number } = useI18n();
  const states = useStates(store);
  const { events, asked, cut, error } = useAllEvents(project, task);
  const going = isUnderWay(task);
  const now = useServerNow(going);
  const [closed, setClosed] = useState(() => closedAtFirst(tree));
  const [zoom, setZoom] = useState(1);
  const [critical, setCritical] = useState(false);
  const usual = useUsual(project, task);
  const [width, setWidth] = useState(900);
  const [left, setLeft] = useState(0);
  const names = width < 560 ? 128 : 232;
  const [active, setActive] = useState<number | undefined>(selected);
  const outer = useRef<HTMLDivElement>(null);

  const start = task.started_at ? Date.parse(task.started_at) : now;
  const end = Math.max(start + 1000, task.finished_at ? Date.parse(task.finished_at) : now);
  // While it goes on some room is left, so that not all moves each second.
  const total = going ? (end - start) * 1.04 : end - start;
  const threshold = Math.max(2000, total / 100);
  // In steps, so that the lanes are not made anew each second.
  const coarse = 2 ** Math.round(Math.log2(threshold));
  const pieces = useMemo(() => piecesOf(events, tree, states), [events, tree, states]);
  const pauses = useMemo(() => pausesOf(events), [events]);
  const lanes = useMemo(
    () => lanesOf(tree, states, pieces, closed, coarse, pauses),
    [tree, states, pieces, closed, coarse, pauses],
  );
  const path = useMemo(() => (critical ? criticalPath(tree, states, end) : undefined), [critical, tree, states, end]);
  const track = Math.min(widest, Math.max(200, width - names) * zoom);
  const perPixel = total / track;
  const virtual = useVirtualizer({
    count: lanes.length,
    getScrollElement: () => outer.current,
    estimateSize: () => laneHeight,
    getItemKey: (i) => lanes[i]?.index ?? i,
    paddingStart: axisHeight,
    scrollPaddingStart: axisHeight,
    overscan: 8,
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: it is there once the events are
  useEffect(() => {
    const box = outer.current;
    if (!box) return;
    const watch = new ResizeObserver(() => setWidth(box.clientWidth));
    watch.observe(box);
    setWidth(box.clientWidth);
    return () => watch.disconnect();
  }, [asked]);

  const scaleBy = (factor: number) => {
    const box = outer.current;
    const most = widest / Math.max(200, width - names);
    const next = Math.max(1, Math.min(most, zoom * factor));
    if (!box || next === zoom) return;
    // The middle stays in the middle.
    const middle = (box.scrollLeft + (width - names) / 2) / zoom;
    setZoom(next);
    requestAnimationFrame(() => {
      box.scrollLeft = middle * next - (width - names) / 2;
    });
  };
  useKeys(t('task.tab.timeline'), [
    { keys: '+', label: t('task.time.in'), run: () => scaleBy(2) },
    { keys: '-', label: t('task.time.out'), run: () => scaleBy(0.5) },
    { keys: '0', label: t('task.time.fit'), run: () => setZoom(1) },
    { keys: 'c', label: t('task.time.critical'), run: () => setCritical((on) => !on) },
  ]);

  const focusRow = (to: number) => {
    const at = Math.max(0, Math.min(lanes.length - 1, to));
    const lane = lanes[at];
    if (!lane) return;
    setActive(lane.index);
    virtual.scrollToIndex(at, { align: 'auto' });
    requestAnimationFrame(() => outer.current?.querySelector<HTMLElement>(`[data-lane="${lane.index}"]`)?.focus());
  };
  const fold = (lane: Lane, open: boolean) => {
    if (lane.open === undefined || lane.open === open) return;
    setClosed((old) => {
      const next = new Set(old);
      if (open) next.delete(lane.index);
      else next.add(lane.index);
      return next;
    });
  };
  const press = (e: KeyboardEvent) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const at = lanes.findIndex((l) => l.index === active);
    const lane = lanes[at];
    if (e.key === 'ArrowDown') focusRow(at + 1);
    else if (e.key === 'ArrowUp') focusRow(at - 1);
    else if (e.key === 'Home') focusRow(0);
    else if (e.key === 'End') focusRow(lanes.length - 1);
    else if (e.key === 'ArrowRight' && lane) fold(lane, true);
    else if (e.key === 'ArrowLeft' && lane) fold(lane, false);
    else return;
    e.preventDefault();
    e.stopPropagation();
  };

  if (!task.started_at) return <Empty title={t('task.time.none')} />;
  if (!asked) return <Skeleton />;
  const step = tickStep(perPixel, 90);
  const ticks: number[] = [];
  const firstTick = Math.floor(Math.max(0, (left - 200) * perPixel) / step) * step;
  for (let at = firstTick; at <= total && at <= (left + width + 200) * perPixel; at += step) ticks.push(at);
  const tabStop = lanes.some((l) => l.index === active) ? active : lanes[0]?.index;
  return (
    <div className="timeline">
      {error !== undefined && <ErrorBox error={error} />}
      <div className="bar-line">
        <ul className="time-legend">
          {(['ran', 'waited', 'queued', 'paused', 'failed'] as const).map((kind) => (
            <li key={kind}>
              <span className={`time-swatch piece-${kind}`} />
              {t(`task.time.${kind}`)}
            </li>
          ))}
          {usual && (
            <li>
              <span className="time-usual">
                <span />
              </span>
              {t('task.time.usually')}
            </li>
          )}
        </ul>
        {cut && <span className="muted">{t('task.time.cut', { count: events.length })}</span>}
        <span className="graph-zoom">
          <Button
            small
            aria-pressed={critical}
            title={`${t('task.time.critical')} (c)`}
            onClick={() => setCritical(!critical)}
          >
            {t('task.time.critical')}
          </Button>
          <IconButton small label={`${t('task.time.out')} (-)`} onClick={() => scaleBy(0.5)}>
            <span aria-hidden="true">−</span>
          </IconButton>
          <IconButton small label={`${t('task.time.in')} (+)`} onClick={() => scaleBy(2)}>
            <span aria-hidden="true">+</span>
          </IconButton>
          <Button small title={`${t('task.time.fit')} (0)`} onClick={() => setZoom(1)}>
            {t('task.time.fit')}
          </Button>
        </span>
      </div>
      {path && (
        <p className="time-path">
          {t(going ? 'task.time.criticalNow' : 'task.time.criticalSum', {
            count: path.steps,
            inside: span(path.inside, t),
            between: span(end - start - path.inside, t),
          })}
        </p>
      )}
      <div
        data-virtual
        className={path ? 'time-scroll panel time-critical' : 'time-scroll panel'}
        ref={outer}
        onScroll={(e) => {
          const to = Math.round(e.currentTarget.scrollLeft / 200) * 200;
          if (to !== left) setLeft(to);
        }}
      >
        <div
          className="time-inner"
          style={{ width: names + track, height: virtual.getTotalSize(), '--names': `${names}px` } as CSSProperties}
        >
          <div className="time-axis" aria-hidden="true">
            <span className="time-corner" style={{ width: names }}>
              {t('task.column.name')}
            </span>
            {ticks.map((at) => (
              <span key={at} className="time-tick" style={{ transform: `translateX(${names + at / perPixel}px)` }}>
                {span(at, t)}
              </span>
            ))}
          </div>
          {ticks.map((at) => (
            <div key={at} className="time-rule" style={{ transform: `translateX(${names + at / perPixel}px)` }} />
          ))}
          <ul className="time-lanes" aria-label={t('task.time.lanes')} onKeyDown={press}>
            {virtual.getVirtualItems().map((item) => {
              const lane = lanes[item.index];
              if (!lane) return null;
              return (
                <li
                  key={item.key}
                  aria-setsize={lanes.length}
                  aria-posinset={item.index + 1}
                  className={laneClass(lane.index === selected, path?.nodes.has(lane.index))}
                  style={{ transform: `translateY(${item.start}px)` }}
                >
                  <LaneRow
                    lane={lane}
                    tree={tree}
                    store={store}
                    start={start}
                    perPixel={perPixel}
                    names={names}
                    now={lane.pieces.some((p) => p.to === undefined) ? end : 0}
                    threshold={coarse}
                    track={track}
                    usual={usual?.nodes.get(lane.index)?.median}
                    critical={path?.nodes.has(lane.index) ?? false}
                    tabStop={lane.index === tabStop}
                    onFocus={setActive}
                    onFold={fold}
                    onSelect={onSelect}
                  />
                </li>
              );
            })}
          </ul>
          {going && (
            <div className="time-now" style={{ transform: `translateX(${names + (end - start) / perPixel}px)` }}>
              <span>{t('task.time.now')}</span>
            </div>
          )}
        </div>
      </div>
      <p className="hidden" role="status">
        {t('task.nodesShown', { count: lanes.length, all: number(tree.order.length) })}
      </p>
    </div>
  );
}

function laneClass(chosen: boolean, critical: boolean | undefined): string {
  return `time-lane${chosen ? ' time-chosen' : ''}${critical ? ' time-decides' : ''}`;
}
