import { type Task, useServerNow } from '../api';
import { useI18n } from '../i18n';
import { useUsuals } from './useUsual';
import { expectedOfAll, usualKey } from './usual';
import { bandWords } from './words';
import './usual.css';

/** When the tasks that run will all have ended, as far as that is known of them. */
export function ExpectedOfAll({ project, tasks }: { project: number; tasks: readonly Task[] }) {
  const i18n = useI18n();
  const { t, tx, number } = i18n;
  const usuals = useUsuals(project, tasks);
  const now = useServerNow(usuals.size > 0);
  const { band, known, of, late } = expectedOfAll(tasks, (task) => usuals.get(usualKey(task)), now);
  if (known === 0) return null;
  return (
    <p className="expected-all">
      {band && <span>{tx('usual.all', { band: <strong>{bandWords(band, now, i18n)}</strong> })}</span>}
      {known < of && <span>{t('usual.known', { known: number(known), of: number(of) })}</span>}
      {late > 0 && <span className="is-late">{t('usual.lateOf', { count: late })}</span>}
    </p>
  );
}
