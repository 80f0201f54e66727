import { useServerNow } from '../api';
import { useI18n } from '../i18n';
import { span, Time } from '../ui';
import type { TimeRow, TimeSpan } from './times';

/** When an attempt came how far, as rows of a list of facts. */
export function Times({ rows }: { rows: readonly TimeRow[] }) {
  const { t } = useI18n();
  return rows.map((row) => (
    <div key={row.what}>
      <dt>{t(`node.time.${row.what}`)}</dt>
      <dd>
        <Time at={row.at} />
        {row.ahead && (
          <span className="muted">
            {' · '}
            <Time at={row.at} relative />
          </span>
        )}
        {row.spans.map((s) => (
          <span key={s.what} className="muted">
            {' · '}
            <Long of={s} />
          </span>
        ))}
      </dd>
    </div>
  ));
}

function Long({ of }: { of: TimeSpan }) {
  const { t } = useI18n();
  const now = useServerNow(of.to === undefined);
  const end = of.to === undefined ? now : Date.parse(of.to);
  return <span className="duration">{t(`node.span.${of.what}`, { span: span(end - Date.parse(of.from), t) })}</span>;
}
