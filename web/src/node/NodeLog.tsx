import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { apiURL } from '../api';
import { useI18n } from '../i18n';
import { Button, Dialog, Icon, IconButton, Select } from '../ui';
import { LogPane } from './LogPane';
import { useFollowed } from './useFollowed';
import { useLog } from './useLog';
import { useLogSearch } from './useLogSearch';

/**
 * The log of a node. `back` says which attempt is looked at, counted from the newest one; undefined where that is not
 * known. Another `mark` is another newest attempt.
 */
export function NodeLog({
  project,
  task,
  node,
  mark,
  back,
}: {
  project: number;
  task: number;
  node: string;
  mark: string;
  back: number | undefined;
}) {
  const { t } = useI18n();
  const [params, setParams] = useSearchParams();
  const [, linked = '', linkedLine = ''] = /^(\d{1,6})\.(\d{1,12})$/.exec(params.get('log') ?? '') ?? [];
  const [attempt, setAttempt] = useState(Number(linked)); // as the log counts, over all loops; 0 is the newest
  const [wanted, setWanted] = useState('');
  const [full, setFull] = useState(false);
  const log = useLog({ project, task, node, attempt, mark: attempt === 0 ? mark : '' });
  const { attempts } = log;
  useFollowed({ back, attempts, linked }, setAttempt);
  const search = useLogSearch({ project, task, node, attempt: log.attempt, size: log.size }, wanted);
  const line =
    linkedLine !== '' && (log.attempt === 0 || Number(linked) === log.attempt) ? Number(linkedLine) : undefined;
  const named = (n: number) => {
    const next = new URLSearchParams(params);
    next.set('log', `${log.attempt}.${n}`);
    return next;
  };

  const tools = (
    <>
      {attempts > 1 && (full || back === undefined) && (
        <Select
          className="log-attempt"
          aria-label={t('node.log.attempt')}
          value={attempt === 0 ? attempts : attempt}
          onChange={(e) => setAttempt(Number(e.target.value) === attempts ? 0 : Number(e.target.value))}
        >
          {Array.from({ length: Math.min(attempts, 1000) }, (_, i) => (
            <option key={i} value={attempts - i}>
              {t('node.log.attemptOf', { n: attempts - i, count: attempts })}
            </option>
          ))}
        </Select>
      )}
      <a
        className="button button-quiet button-small"
        href={
          apiURL(`projects/${project}/tasks/${task}/nodes/${encodeURIComponent(node)}/log.txt`, {
            attempt: log.attempt || undefined,
          }).href
        }
        download
      >
        {t('node.log.download')}
      </a>
      {!full && (
        <IconButton small label={t('node.log.full')} onClick={() => setFull(true)}>
          <Icon name="grow" size={14} />
        </IconButton>
      )}
    </>
  );
  const pane = {
    log,
    search,
    wanted,
    onWanted: setWanted,
    line,
    onLine: (n: number) => setParams(named(n), { replace: true, preventScrollReset: true }),
    link: (n: number) => {
      const url = new URL(window.location.href);
      url.search = named(n).toString();
      return url.href;
    },
    tools,
  };
  return (
    <section className="node-part">
      <h3>{t('node.log')}</h3>
      {full ? (
        <Dialog full title={t('node.log')} onClose={() => setFull(false)}>
          <LogPane {...pane} height="full" />
        </Dialog>
      ) : (
        <LogPane {...pane} height="part" />
      )}
      {full && (
        <Button small onClick={() => setFull(false)}>
          {t('node.log.small')}
        </Button>
      )}
    </section>
  );
}
