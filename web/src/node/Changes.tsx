import type { ReactNode } from 'react';
import { useI18n } from '../i18n';
import { type Change, diffLines, near, valueLines } from './inputs';
import { Plain } from './Text';

/** What changes of several values, line by line; `same` says so where nothing does. */
export function Changes({ list, same }: { list: readonly Change[]; same: ReactNode }) {
  const { t } = useI18n();
  if (list.length === 0) return <p className="diff-none">{same}</p>;
  return list.map((change) => (
    <section key={change.key} className="diff" aria-label={change.key}>
      <h3>
        <code>
          <Plain text={change.key} />
        </code>
        {change.before === undefined && <span className="muted"> {t('node.inputs.added')}</span>}
        {change.after === undefined && <span className="muted"> {t('node.inputs.removed')}</span>}
      </h3>
      <Lines change={change} />
    </section>
  ));
}

const mostLines = 400;

function Lines({ change }: { change: Change }) {
  const { t, number } = useI18n();
  const lines = near(diffLines(valueLines(change.before), valueLines(change.after)));
  const signs = { '-': t('node.inputs.before'), '+': t('node.inputs.after'), ' ': '' };
  // Values of other types may look alike: 1 and "1".
  const types =
    typeof change.before !== typeof change.after && change.before !== undefined && change.after !== undefined;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <div className="diff-lines" tabIndex={0}>
        {lines.slice(0, mostLines).map((line, i) =>
          line ? (
            <div
              key={i}
              className={
                line.sign === ' ' ? 'diff-line' : line.sign === '-' ? 'diff-line diff-old' : 'diff-line diff-new'
              }
            >
              <span className="diff-sign" aria-hidden="true">
                {line.sign}
              </span>
              {signs[line.sign] && <span className="hidden">{signs[line.sign]}</span>}
              <span>
                <Plain text={line.text.slice(0, 2000)} />
              </span>
            </div>
          ) : (
            <div key={i} className="diff-gap" aria-hidden="true">
              ⋯
            </div>
          ),
        )}
      </div>
      {lines.length > mostLines && (
        <p className="muted">{t('node.inputs.cut', { size: number(lines.length - mostLines) })}</p>
      )}
      {types && (
        <p className="muted">{t('node.inputs.types', { before: typeof change.before, after: typeof change.after })}</p>
      )}
    </>
  );
}
