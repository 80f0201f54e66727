import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { api, type BulkCommand, Intent, type Task, type Verdict } from '../api';
import { commandAll } from '../api/bulk';
import { paths } from '../app/paths';
import { useI18n } from '../i18n';
import { Ask, Button, Dialog, Empty, errorSentence, Refusal, useCopy, useKeys, useToast } from '../ui';
import { type BulkName, bulkNames, bulkTargets, takes } from './bulk';

const namedTasks = 8;

/** What can be done to the selected tasks at once. */
export function Bulk({
  project,
  tasks,
  all,
  onClear,
  onDone,
}: {
  project: number;
  tasks: readonly Task[];
  /** Selects all that match, or says that not all could be. */
  all: ReactNode;
  onClear: () => void;
  /** Tasks may stand otherwise now. */
  onDone: (ids: number[]) => void;
}) {
  const { t } = useI18n();
  const copy = useCopy();
  const toast = useToast();
  const navigate = useNavigate();
  const [asked, setAsked] = useState<BulkName>();
  const [intent, setIntent] = useState(() => new Intent());
  const [verdicts, setVerdicts] = useState<Verdict[]>();
  const ids = tasks.map((task) => task.id);
  const run = useMutation({
    mutationFn: ({ targets, ...body }: BulkCommand) =>
      commandAll(
        targets,
        (part) => api.command(project, { ...body, targets: part }, intent),
        (e) => errorSentence(e, t),
      ),
    onSuccess: (results) => {
      setAsked(undefined);
      onDone([...new Set(results.map((r) => r.task))]);
      if (results.every((r) => r.ok)) toast(t('tasks.bulk.done', { count: results.length }));
      else setVerdicts(results);
    },
  });
  const ask = (name: BulkName) => {
    if (!tasks.some((task) => takes(task, name))) return;
    run.reset();
    setIntent(new Intent());
    setAsked(name);
  };
  const board = () => void navigate(paths.board(project, ids));
  useKeys(t('tasks.keys.selected'), [
    { keys: 'P', label: t('do.pause'), run: () => ask('pause') },
    { keys: 'R', label: t('tasks.bulk.retry'), run: () => ask('retry') },
    { keys: 'Escape', label: t('tasks.bulk.clear'), run: onClear },
  ]);
  const targets = asked === undefined ? [] : bulkTargets(tasks, asked);
  const able = asked === undefined ? [] : tasks.filter((task) => takes(task, asked));
  return (
    <>
      <section className="bulk" aria-label={t('tasks.bulk')}>
        <b role="status">{t('tasks.bulk.count', { count: tasks.length })}</b>
        {all}
        {bulkNames.map((name) => (
          <Button key={name} small disabled={!tasks.some((task) => takes(task, name))} onClick={() => ask(name)}>
            {name === 'retry' ? t('tasks.bulk.retry') : t(`do.${name}`)}
          </Button>
        ))}
        <Button small onClick={() => void copy(ids.join('\n'))}>
          {t('tasks.bulk.copy')}
        </Button>
        <Button small onClick={board}>
          {t('tasks.bulk.board')}
        </Button>
        <Button small kind="quiet" onClick={onClear}>
          {t('tasks.bulk.clear')}
        </Button>
      </section>
      {asked && (
        <Ask
          title={t(`tasks.ask.${asked}`, { count: targets.length })}
          action={asked === 'retry' ? t('tasks.bulk.retry') : t(`do.${asked}`)}
          danger={asked === 'revoke'}
          busy={run.isPending}
          error={run.error}
          onClose={() => setAsked(undefined)}
          onConfirm={(reason) => run.mutate({ command: asked, reason, targets })}
        >
          <p className="muted">
            {tasks.length > able.length
              ? t('tasks.ask.some', { count: tasks.length - able.length })
              : t('tasks.ask.each')}
          </p>
          <ul className="ask-names">
            {able.slice(0, namedTasks).map((task) => (
              <li key={task.id}>
                <bdi>{task.name || t('ui.noName')}</bdi> <span className="muted">#{task.id}</span>
              </li>
            ))}
            {able.length > namedTasks && (
              <li className="muted">{t('tasks.ask.more', { count: able.length - namedTasks })}</li>
            )}
          </ul>
        </Ask>
      )}
      {verdicts && <Verdicts tasks={tasks} verdicts={verdicts} onClose={() => setVerdicts(undefined)} />}
    </>
  );
}

/** What became of a command for each task, refusals first. */
function Verdicts({
  tasks,
  verdicts,
  onClose,
}: {
  tasks: readonly Task[];
  verdicts: readonly Verdict[];
  onClose: () => void;
}) {
  const { t } = useI18n();
  const names = new Map(tasks.map((task) => [task.id, task]));
  const refused = verdicts.filter((v) => !v.ok);
  const done = verdicts.length - refused.length;
  return (
    <Dialog title={t('tasks.verdicts', { count: refused.length })} onClose={onClose} wide>
      <p className="muted">{t('tasks.verdicts.done', { count: done })}</p>
      {refused.length === 0 && <Empty title={t('tasks.verdicts.none')} />}
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{t('tasks.col.name')}</th>
            <th scope="col">{t('tasks.verdicts.why')}</th>
          </tr>
        </thead>
        <tbody>
          {refused.map((v) => {
            const task = names.get(v.task);
            const node = task?.run?.failed?.find((n) => n.id === v.node)?.name;
            return (
              <tr key={`${v.task} ${v.node}`}>
                <th scope="row">
                  {task ? <Link to={paths.task(task.project, task.id)}>{task.name || t('ui.noName')}</Link> : null}{' '}
                  <span className="muted">
                    #{v.task} {node}
                  </span>
                </th>
                <td>
                  <Refusal code={v.code}>{v.message}</Refusal>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Dialog>
  );
}
