import { type TaskCount, type TaskState, taskStates } from '../api';
import { useI18n } from '../i18n';
import { StateShape } from '../ui';

const most = 10_000;

/** How many tasks show each state, each a button that shows only those. */
export function Strip({
  count,
  state,
  onState,
}: {
  count: TaskCount | undefined;
  state: TaskState | undefined;
  onState: (state: TaskState | undefined) => void;
}) {
  const { t, number } = useI18n();
  const capped = (n: number | undefined) => {
    if (n === undefined) return '–';
    return n >= most ? t('tasks.many') : number(n);
  };
  const of = new Map(count?.states.map((s) => [s.state, s.tasks]));
  return (
    <div className="strip" role="group" aria-label={t('tasks.byState')}>
      <button
        type="button"
        className="strip-item"
        aria-pressed={state === undefined}
        onClick={() => onState(undefined)}
      >
        <span>{t('tasks.all')}</span>
        <b>{capped(count?.total)}</b>
      </button>
      {taskStates.map((s) => (
        <button
          key={s}
          type="button"
          className="strip-item"
          aria-pressed={state === s}
          data-none={of.get(s) === 0 || undefined}
          onClick={() => onState(state === s ? undefined : s)}
        >
          <StateShape look={s} size={13} />
          <span>{t(`state.${s}`)}</span>
          <b>{capped(of.get(s))}</b>
        </button>
      ))}
      {count?.cut && <span className="muted">{t('tasks.cut')}</span>}
    </div>
  );
}
