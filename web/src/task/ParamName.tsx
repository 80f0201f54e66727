import type { TaskConstant } from '../api';
import { useI18n } from '../i18n';
import { plainName } from './model';

/** Which variable it is: its key and name, and what kind of one. */
export function ParamName({ constant: c }: { constant: TaskConstant }) {
  const { t } = useI18n();
  return (
    <>
      <code>{plainName(c.key, 120)}</code>
      {c.name && <bdi className="params-name">{plainName(c.name, 120)}</bdi>}
      <span className="muted">
        {[
          plainName(c.kind ?? '', 40),
          c.output ? t('task.params.output') : '',
          !c.shown && !c.output ? t('task.params.hidden') : '',
        ]
          .filter(Boolean)
          .join(' · ')}
      </span>
    </>
  );
}
