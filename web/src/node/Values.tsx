import { Link } from 'react-router';
import type { NodeDetail, Task } from '../api';
import { paths } from '../app/paths';
import { useI18n } from '../i18n';
import { CopyButton } from '../ui';
import { type AttemptView, inputRows } from './attempts';
import { equal } from './inputs';
import { copyOf, JsonView } from './JsonView';
import { Plain } from './Text';

/** What an attempt was given, before and after rendering. */
export function Inputs({ detail, attempt }: { detail: NodeDetail; attempt: AttemptView }) {
  const { t } = useI18n();
  const rows = inputRows(attempt.current ? detail.templates : undefined, attempt.inputs);
  if (rows.length === 0) {
    return detail.plugin ? (
      <section className="node-part">
        <h3>{t('node.inputs')}</h3>
        <p className="muted">{t('node.inputs.none')}</p>
      </section>
    ) : null;
  }
  const both = rows.some((r) => r.template !== undefined && r.rendered !== undefined && !equal(r.template, r.rendered));
  return (
    <section className="node-part">
      <header>
        <h3>{t('node.inputs')}</h3>
        <CopyButton text={copyOf(attempt.inputs)} label={t('node.inputs.copy')} />
      </header>
      {both && (
        <div className="values-head" aria-hidden="true">
          <span>{t('node.inputs.template')}</span>
          <span>{t('node.inputs.rendered')}</span>
        </div>
      )}
      <dl className="values">
        {rows.map((row) => {
          const two = row.template !== undefined && row.rendered !== undefined && !equal(row.template, row.rendered);
          const one = row.rendered === undefined ? row.template : row.rendered;
          return (
            <div key={row.key} className="value">
              <dt>
                <code>
                  <Plain text={row.key.slice(0, 300)} />
                </code>
                {one !== undefined && (
                  <CopyButton text={copyOf(one)} label={t('node.copyOf', { key: row.key.slice(0, 80) })} />
                )}
              </dt>
              {two ? (
                <>
                  <dd className="value-left">
                    <span className="value-label">{t('node.inputs.template')}</span>
                    <JsonView value={row.template ?? null} />
                  </dd>
                  <dd className="value-right">
                    <span className="value-label">{t('node.inputs.rendered')}</span>
                    <JsonView value={row.rendered ?? null} />
                  </dd>
                </>
              ) : (
                <dd className="value-one">
                  <JsonView value={one ?? null} />
                </dd>
              )}
            </div>
          );
        })}
      </dl>
    </section>
  );
}

/** What an attempt gave. */
export function Outputs({ attempt, task, project }: { attempt: AttemptView; task: Task; project: number }) {
  const { t } = useI18n();
  if (attempt.outputs.length === 0) return null;
  const all = Object.fromEntries(attempt.outputs.map((o) => [o.key, o.value]));
  return (
    <section className="node-part">
      <header>
        <h3>{t('node.outputs')}</h3>
        <CopyButton text={copyOf(all)} label={t('node.outputs.copy')} />
      </header>
      <dl className="values">
        {attempt.outputs.map((output) => (
          <div key={output.key} className="value">
            <dt>
              <code>
                <Plain text={output.key.slice(0, 300)} />
              </code>
              {output.name && output.name !== output.key && (
                <span className="muted">
                  <Plain text={output.name.slice(0, 300)} />
                </span>
              )}
              <CopyButton text={copyOf(output.value)} label={t('node.copyOf', { key: output.key.slice(0, 80) })} />
            </dt>
            <dd className="value-one">
              {typeof output.value === 'number' && task.children?.includes(output.value) ? (
                <Link to={paths.task(project, output.value)}>{output.value}</Link>
              ) : (
                <JsonView value={output.value} />
              )}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
