import { Link } from 'react-router';
import { isUnderWay, type NodeDetail, type NodeState, type Task } from '../api';
import { paths } from '../app/paths';
import { useI18n } from '../i18n';
import { Button, CopyButton, Icon, kindKey, Time, useCopy } from '../ui';
import type { AttemptView } from './attempts';
import { Plain } from './Text';
import { Times } from './Times';
import { timesOf } from './times';

/** What is known of an attempt in few words, and of its node. */
export function Facts({
  project,
  task,
  detail,
  attempt,
  state,
  earlier,
  curl,
}: {
  project: number;
  task: Task;
  detail: NodeDetail;
  attempt: AttemptView;
  state: NodeState | undefined;
  earlier: boolean;
  curl: string;
}) {
  const { t, number } = useI18n();
  const copy = useCopy();
  const current = attempt.current && !earlier;
  return (
    <section className="node-facts" aria-label={t('node.facts')}>
      <dl>
        {detail.kind && (
          <div>
            <dt>{t('node.kind')}</dt>
            <dd title={detail.kind}>{t(kindKey(detail.kind))}</dd>
          </div>
        )}
        {detail.plugin && (
          <div>
            <dt>{t('node.plugin')}</dt>
            <dd>
              <code>
                <Plain text={detail.plugin} />
              </code>{' '}
              {detail.plugin_version && (
                <span className="muted">
                  <Plain text={detail.plugin_version} />
                </span>
              )}
            </dd>
          </div>
        )}
        <Times rows={timesOf(detail, attempt, current ? state : undefined)} />
        {detail.loop > 1 && (
          <div>
            <dt>{t('node.loop')}</dt>
            <dd>{number(detail.loop)}</dd>
          </div>
        )}
        {detail.auto_retry && (
          <div>
            <dt>{t('node.autoRetry')}</dt>
            <dd>{t('node.autoRetry.of', { n: detail.auto_retry.times, max: detail.auto_retry.max })}</dd>
          </div>
        )}
        {detail.why?.code === 'child' && task.children && task.children.length > 0 && (
          <div>
            <dt>{t('node.children')}</dt>
            <dd className="node-children">
              {task.children.slice(0, 50).map((child) => (
                <Link key={child} to={paths.task(project, child)}>
                  {child}
                </Link>
              ))}
            </dd>
          </div>
        )}
        {current && isUnderWay(task) && (
          <div>
            <dt>{t('node.driver')}</dt>
            <dd>
              <Driver detail={detail} />
            </dd>
          </div>
        )}
        <div>
          <dt>{t('node.id')}</dt>
          <dd className="node-id">
            <code>{detail.id}</code>
            <CopyButton text={detail.id} label={t('node.id.copy')} />
          </dd>
        </div>
      </dl>
      <Button kind="quiet" small className="node-curl" onClick={() => void copy(curl)}>
        <Icon name="copy" size={14} />
        {t('node.curl')}
      </Button>
    </section>
  );
}

// The process that drives the task, or that none does.
function Driver({ detail }: { detail: NodeDetail }) {
  const { t } = useI18n();
  const { driver, taken_at: taken } = detail;
  if (driver) {
    return (
      <>
        <code>
          <Plain text={driver.name} />
        </code>{' '}
        <span className="muted">{t('node.driver.pid', { pid: String(driver.pid) })}</span>
        {driver.lost && <span className="node-driver-lost">{t('node.driver.lost')}</span>}
      </>
    );
  }
  return (
    <>
      {t('node.driver.none')}
      {taken && (
        <span className="muted">
          {' '}
          {t('node.driver.taken')} <Time at={taken} relative />
        </span>
      )}
    </>
  );
}
