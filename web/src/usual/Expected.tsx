import { isUnderWay, type Task, useServerNow } from '../api';
import { useI18n } from '../i18n';
import { span } from '../ui';
import { useKnownUsual } from './useUsual';
import { expectedEnd, type Usual, type UsualTask } from './usual';
import { bandWords, byWords, usualWords } from './words';
import './usual.css';

/** Among the facts of a task, when it may be expected to end; nothing where that is not known. */
export function ExpectedFact({ task, usual }: { task: Task; usual: Usual | undefined }) {
  const i18n = useI18n();
  const now = useServerNow(usual !== undefined && isUnderWay(task));
  const band = expectedEnd(task, usual, now);
  if (!band || !usual) return null;
  return (
    <div>
      <dt>{i18n.t('usual.expected')}</dt>
      <dd className={band.late ? 'expected is-late' : 'expected'} title={usualWords(usual, i18n)}>
        {band.late ? i18n.t('usual.late') : bandWords(band, now, i18n)}
      </dd>
    </div>
  );
}

/** Behind how long a task took or takes, how long one usually does. */
export function UsualSpan({ usual }: { usual: Usual | undefined }) {
  const i18n = useI18n();
  if (!usual) return null;
  return (
    <span className="muted" title={usualWords(usual, i18n)}>
      {' '}
      · {i18n.t('usual.task', { usual: span(usual.median, i18n.t) })}
    </span>
  );
}

/** Below how long a task takes that is slow, how long one usually does. */
export function SlowMark({ usual }: { usual: UsualTask }) {
  const i18n = useI18n();
  return (
    <span className="known-end is-late" title={usualWords(usual, i18n)}>
      {i18n.t('usual.task', { usual: span(usual.median, i18n.t) })}
    </span>
  );
}

/** Of a task among many, when it may be expected to end, by what is known of such tasks already. */
export function KnownEnd({ project, task }: { project: number; task: Task }) {
  const i18n = useI18n();
  const usual = useKnownUsual(project, task);
  const now = useServerNow(usual !== undefined && isUnderWay(task));
  const band = expectedEnd(task, usual, now);
  if (!band || !usual) return null;
  const words = band.late ? i18n.t('usual.late') : byWords(band, now, i18n);
  const whole = `${i18n.t('usual.expected')}: ${bandWords(band, now, i18n)}`;
  return (
    <span className={band.late ? 'known-end is-late' : 'known-end'} title={`${whole}\n${usualWords(usual, i18n)}`}>
      {words}
    </span>
  );
}
