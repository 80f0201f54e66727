import { type TaskState, useServerNow } from '../api';
import { taskStates } from '../api/types';
import { useI18n } from '../i18n';
import { lookClass, lookWord, StateShape, Time } from '../ui';
import { type Board, sliceCount, sliceLength } from './model';

/** The totals by state; a click shows only the tasks of that state. */
export function Totals({
  board,
  chosen,
  onToggle,
}: {
  board: Board;
  chosen: ReadonlySet<TaskState>;
  onToggle: (state: TaskState) => void;
}) {
  const { t, number } = useI18n();
  return (
    <fieldset className="board-totals">
      <legend className="hidden">{t('board.totals')}</legend>
      {taskStates
        .filter((s) => board.counts[s] > 0 || chosen.has(s) || s === 'RUNNING' || s === 'FAILED' || s === 'FINISHED')
        .map((state) => (
          <button
            key={state}
            type="button"
            className="board-total"
            aria-pressed={chosen.has(state)}
            onClick={() => onToggle(state)}
          >
            <StateShape look={state} size={16} />
            <span className="board-total-word">{t(lookWord(state))}</span>
            <strong className={board.counts[state] > 0 ? lookClass(state) : 'muted'}>
              {number(board.counts[state])}
            </strong>
          </button>
        ))}
    </fieldset>
  );
}

/** One bar for all tasks, with a piece for each state. */
export function Share({ board }: { board: Board }) {
  const all = board.tasks.size;
  return (
    <div className="board-share" aria-hidden="true">
      {order.map((state) =>
        board.counts[state] > 0 ? (
          <span
            key={state}
            className={`board-share-piece ${lookClass(state)}`}
            style={{ flexGrow: board.counts[state] / all }}
          />
        ) : null,
      )}
    </div>
  );
}

const order: readonly TaskState[] = [
  'FINISHED',
  'RUNNING',
  'NODE_SUSPENDED',
  'SUSPENDED',
  'FAILED',
  'REVOKED',
  'CREATED',
];

/** How many tasks changed when, in the last minutes. */
export function Changes({ board }: { board: Board }) {
  const { t } = useI18n();
  const now = useServerNow();
  const end = now - (now % sliceLength);
  const counts = new Map(board.slices.map((s) => [s.at, s.count]));
  const bars = Array.from({ length: sliceCount }, (_, i) => counts.get(end - (sliceCount - 1 - i) * sliceLength) ?? 0);
  const most = Math.max(1, ...bars);
  const minute = board.slices.filter((s) => s.at > now - 60_000).reduce((n, s) => n + s.count, 0);
  return (
    <div className="board-changes">
      <p className="board-changes-text">
        {t('board.changes', { count: minute })}
        {board.changed > 0 && (
          <>
            {' · '}
            {t('board.lastChange')} <Time at={new Date(board.changed).toISOString()} relative />
          </>
        )}
      </p>
      <svg className="board-bars" viewBox={`0 0 ${sliceCount * 5} 28`} preserveAspectRatio="none" aria-hidden="true">
        {bars.map((count, i) => {
          const height = count === 0 ? 1 : 3 + (count / most) * 25;
          return (
            <rect
              key={i}
              className={count === 0 ? 'is-none' : undefined}
              x={i * 5}
              y={28 - height}
              width={4}
              height={height}
            />
          );
        })}
      </svg>
      <p className="board-bars-scale" aria-hidden="true">
        <span>{t('board.minutesAgo', { count: (sliceCount * sliceLength) / 60_000 })}</span>
        <span>{t('board.now')}</span>
      </p>
    </div>
  );
}
