import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { type Feed, hasEnded, type TaskState, useServerNow } from '../api';
import { taskStates } from '../api/types';
import { useI18n } from '../i18n';
import {
  Duration,
  FeedMark,
  Icon,
  IconButton,
  KeyLayer,
  lookClass,
  lookWord,
  StateShape,
  Time,
  taskSentence,
  useKeys,
} from '../ui';
import { Ending } from './Ending';
import { GroupCounts, groupName } from './GroupHead';
import { type Grouping, groupsOf } from './groups';
import { type Board, failingGroups } from './model';
import { arrange } from './order';
import { Share } from './Summary';

const mostCards = 60;
const mostNodes = 6;
const mostGroups = 8;
const nothing = { states: new Set<TaskState>(), text: '' };

/** The board for a screen on a wall: large, without controls; Escape leaves it. */
export function Tv(props: TvProps) {
  return (
    <KeyLayer>
      <Wall {...props} />
    </KeyLayer>
  );
}

interface TvProps {
  project: number;
  board: Board;
  feed: Feed;
  title: string;
  /** By what the tasks are put together, if they are. */
  by: Grouping | undefined;
  flows: ReadonlyMap<number, string>;
  onLeave: () => void;
}

function Wall({ project, board, feed, title, by, flows, onLeave }: TvProps) {
  const i18n = useI18n();
  const { t, number } = i18n;
  const now = useServerNow(false);
  const ref = useRef<HTMLDialogElement>(null);
  const leave = useRef(onLeave);
  useEffect(() => {
    leave.current = onLeave;
  });
  useKeys(t('board.tv'), [{ keys: 'Escape', label: t('board.tv.leave'), run: () => leave.current() }]);

  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) dialog.showModal();
    let full = false;
    dialog?.focus();
    // A browser wants a click or a key first; without one it stays a page that fills the window.
    if (navigator.userActivation?.isActive !== false) {
      document.documentElement.requestFullscreen?.().then(
        () => {
          full = true;
        },
        () => {},
      );
    }
    const changed = () => {
      if (full && !document.fullscreenElement) leave.current();
    };
    document.addEventListener('fullscreenchange', changed);
    return () => {
      document.removeEventListener('fullscreenchange', changed);
      if (document.fullscreenElement) void document.exitFullscreen().catch(() => {});
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  useWakeLock();

  const groups = failingGroups(board).slice(0, mostNodes);
  const places = arrange(board, nothing, 'attention', i18n.compare, by);
  const together = by ? groupsOf(board, places) : [];
  const open = (by ? together.flatMap((g) => g.places) : places)
    .map((p) => board.tasks.get(p.id))
    .filter((i) => i !== undefined && !hasEnded(i.task));
  const list = useRef<HTMLUListElement>(null);
  const fitting = useFitting(list);
  const cards = open.slice(0, fitting);
  return (
    <dialog
      ref={ref}
      className="tv"
      tabIndex={-1}
      aria-label={t('board.tv')}
      onCancel={(e) => {
        e.preventDefault();
        leave.current();
      }}
    >
      <header className="tv-head">
        <h1>{title}</h1>
        <FeedMark feed={feed} />
        {board.changed > 0 && (
          <span className="muted">
            {t('board.lastChange')} <Time at={new Date(board.changed).toISOString()} relative />
          </span>
        )}
        {open.length > cards.length && (
          <span className="muted">{t('board.tv.more', { count: open.length - cards.length })}</span>
        )}
        <IconButton className="tv-leave" label={t('board.tv.leave')} onClick={onLeave}>
          <Icon name="close" />
        </IconButton>
      </header>
      <div className="tv-totals">
        {taskStates
          .filter((s) => board.counts[s] > 0)
          .map((state) => (
            <div key={state} className={`tv-total ${lookClass(state)}`}>
              <span>
                <StateShape look={state} size={28} /> {t(lookWord(state))}
              </span>
              <strong>{number(board.counts[state])}</strong>
            </div>
          ))}
      </div>
      <Share board={board} />
      <Ending project={project} board={board} />
      {by && (
        <ul className="tv-groups" aria-label={t('board.group')}>
          {together.slice(0, mostGroups).map((group) => (
            <li key={group.key}>
              <bdi className="tv-group-name two-lines">{groupName(group, by, flows, t)}</bdi>
              <GroupCounts group={group} />
            </li>
          ))}
          {together.length > mostGroups && (
            <li className="muted">{t('board.more', { count: together.length - mostGroups })}</li>
          )}
        </ul>
      )}
      <div className="tv-body">
        {groups.length > 0 && (
          <ul className="tv-failing">
            {groups.map((g) => (
              <li key={g.key}>
                <StateShape look="FAILED" size={24} />
                <bdi className="two-lines">{g.name || t('ui.noName')}</bdi>
                <span>{t('board.failedIn', { count: g.failed, of: g.of })}</span>
              </li>
            ))}
          </ul>
        )}
        <ul className="tv-cards" ref={list}>
          {cards.map(
            (item) =>
              item && (
                <li key={item.task.id} className={`tv-card ${lookClass(item.task.state)}`}>
                  <span className="tv-card-name">
                    <StateShape look={item.task.state} size={20} />
                    <bdi>{item.name || t('ui.noName')}</bdi>
                  </span>
                  <span className="tv-card-why">{taskSentence(item.task, i18n, now)}</span>
                  <span className="tv-card-foot">
                    <span>
                      {item.task.run?.progress.done}/{item.task.run?.progress.total}
                    </span>
                    <Duration from={item.task.started_at} to={item.task.finished_at} />
                  </span>
                </li>
              ),
          )}
        </ul>
      </div>
    </dialog>
  );
}

// How many cards fit without one being cut off.
function useFitting(list: React.RefObject<HTMLElement | null>): number {
  const [fitting, setFitting] = useState(mostCards);
  useLayoutEffect(() => {
    const element = list.current;
    if (!element) return;
    const measure = () => {
      const card = element.firstElementChild;
      if (!(card instanceof HTMLElement)) return;
      const style = getComputedStyle(element);
      if (style.overflowY === 'visible') return setFitting(mostCards); // the others are scrolled to
      const gap = Number.parseFloat(style.rowGap) || 0;
      const across = style.gridTemplateColumns.split(' ').length;
      const down = Math.floor((element.clientHeight + gap) / (card.offsetHeight + gap));
      setFitting(Math.max(1, Math.min(mostCards, across * down)));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [list]);
  return fitting;
}

// Keeps the screen on where the browser can.
function useWakeLock(): void {
  useEffect(() => {
    let lock: WakeLockSentinel | undefined;
    let ended = false;
    const ask = async () => {
      if (document.visibilityState !== 'visible') return;
      try {
        const got = await navigator.wakeLock?.request('screen');
        if (ended) await got?.release();
        else lock = got;
      } catch {
        // Not allowed, such as on a low battery.
      }
    };
    const visible = () => void ask();
    void ask();
    document.addEventListener('visibilitychange', visible);
    return () => {
      ended = true;
      document.removeEventListener('visibilitychange', visible);
      void lock?.release().catch(() => {});
    };
  }, []);
}
