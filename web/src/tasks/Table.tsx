import { memo, type Ref } from 'react';
import { Link } from 'react-router';
import { hasEnded, serverClock, type Task } from '../api';
import { paths } from '../app/paths';
import { type I18n, useI18n } from '../i18n';
import { barOf, Duration, Icon, Menu, type MenuItem, StateMark, shortTree, Time, taskSentence } from '../ui';
import { SlowMark, type UsualTask, usualKey } from '../usual';
import type { Rows } from './rows';

export type RowAction = 'start' | 'pause' | 'resume' | 'revoke' | 'delete';

interface Handlers {
  onSelect: (id: number, selected: boolean) => void;
  onAction: (task: Task, action: RowAction) => void;
  /** The page of a task is being opened. */
  onOpen: (id: number) => void;
}

/** The tasks as a table, on phones as cards. */
export function Table({
  rows,
  selected,
  flows,
  usuals,
  busy,
  onSelectAll,
  ref,
  ...handlers
}: Handlers & {
  rows: Rows;
  selected: ReadonlySet<number>;
  flows: ReadonlyMap<number, string>;
  /** How long such tasks usually take, by `usualKey`, where slow ones are listed. */
  usuals: ReadonlyMap<string, UsualTask>;
  /** Another list is on its way. */
  busy: boolean;
  onSelectAll: (selected: boolean) => void;
  ref: Ref<HTMLTableElement>;
}) {
  const { t } = useI18n();
  const all = rows.shown.length > 0 && rows.shown.every((task) => selected.has(task.id));
  return (
    <div className="panel tasks-panel" aria-busy={busy}>
      <table className="table tasks" ref={ref}>
        <caption className="hidden">{t('tasks.title')}</caption>
        <thead>
          <tr>
            <th scope="col" className="tasks-check">
              <input
                type="checkbox"
                aria-label={t('tasks.selectAll')}
                checked={all}
                onChange={(e) => onSelectAll(e.target.checked)}
              />
            </th>
            <th scope="col">{t('tasks.col.state')}</th>
            <th scope="col">{t('tasks.col.name')}</th>
            <th scope="col">{t('tasks.col.now')}</th>
            <th scope="col">{t('tasks.col.progress')}</th>
            <th scope="col" className="number">
              {t('tasks.col.elapsed')}
            </th>
            <th scope="col">{t('tasks.col.by')}</th>
            <th scope="col">{t('tasks.col.created')}</th>
            <th scope="col">{t('tasks.col.updated')}</th>
            <th scope="col">
              <span className="hidden">{t('tasks.col.actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.shown.map((task) => (
            <Row
              key={task.id}
              task={task}
              selected={selected.has(task.id)}
              left={rows.left.has(task.id)}
              flow={task.flow === undefined ? undefined : flows.get(task.flow)}
              usual={usuals.get(usualKey(task))}
              {...handlers}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

const Row = memo(function Row({
  task,
  selected,
  left,
  flow,
  usual,
  onSelect,
  onAction,
  onOpen,
}: Handlers & {
  task: Task;
  selected: boolean;
  left: boolean;
  flow: string | undefined;
  usual: UsualTask | undefined;
}) {
  const i18n = useI18n();
  const { t } = i18n;
  const name = task.name || t('ui.noName');
  const ended = hasEnded(task);
  return (
    <tr data-row={task.id} data-state={task.state} data-left={left || undefined} aria-selected={selected}>
      <td className="tasks-check">
        <input
          type="checkbox"
          aria-label={t('tasks.select', { name })}
          checked={selected}
          onChange={(e) => onSelect(task.id, e.target.checked)}
        />
      </td>
      <td className="tasks-state">
        <StateMark look={task.state} />
        {phaseSays(task) && task.run && <span className="tasks-phase">{t(`phase.${task.run.phase}`)}</span>}
      </td>
      <th scope="row" className="tasks-name">
        <Link
          to={paths.task(task.project, task.id)}
          data-open
          className="two-lines"
          title={name}
          onClick={() => onOpen(task.id)}
        >
          <bdi>{name}</bdi>
        </Link>
        <span className="tasks-sub">
          #{task.id}
          {task.flow !== undefined && (
            <>
              {' · '}
              <bdi>{flow ?? t('tasks.flow', { id: String(task.flow) })}</bdi>
              {task.run?.tree && `@${shortTree(task.run.tree)}`}
            </>
          )}
          {task.parent !== undefined && (
            <>
              {' · '}
              <Link to={paths.task(task.project, task.parent)}>{t('tasks.parent', { id: String(task.parent) })}</Link>
            </>
          )}
          {left && <em className="tasks-left"> · {t(task.deleted ? 'tasks.deleted' : 'tasks.left')}</em>}
        </span>
      </th>
      <td className="tasks-now">
        <span className="two-lines" title={nowText(task, i18n)}>
          {nowText(task, i18n)}
        </span>
      </td>
      <td className="tasks-progress">
        <Progress task={task} />
      </td>
      <td className="tasks-elapsed number" data-label={t('tasks.col.elapsed')}>
        <Duration from={task.started_at} to={task.finished_at ?? (ended ? task.started_at : undefined)} />
        {usual && <SlowMark usual={usual} />}
      </td>
      <td className="tasks-by" data-label={t('tasks.col.by')}>
        <bdi>{task.executor || task.creator}</bdi>
        {task.app && <span className="tasks-sub">{task.app}</span>}
      </td>
      <td className="tasks-created" data-label={t('tasks.col.created')}>
        <Time at={task.created_at} />
      </td>
      <td className="tasks-updated">
        <Time at={task.updated_at} />
      </td>
      <td className="tasks-actions">
        <Menu
          button={{
            kind: 'quiet',
            small: true,
            className: 'button-icon',
            'aria-label': t('tasks.actions', { name }),
            children: <Icon name="more" />,
          }}
          items={actionsOf(task, t, onAction)}
        />
      </td>
    </tr>
  );
});

// The state says the rest already.
function phaseSays(task: Task): boolean {
  const phase = task.run?.phase;
  if (phase === 'queued') return task.state === 'RUNNING';
  if (phase === 'running') return task.state !== 'RUNNING';
  if (phase === 'waiting_human') return task.state === 'RUNNING';
  return phase === 'draining';
}

function nowText(task: Task, i18n: I18n): string {
  if (task.problem) return task.problem;
  return taskSentence(task, i18n, serverClock.now());
}

function Progress({ task }: { task: Task }) {
  const { t } = useI18n();
  const progress = task.run?.progress;
  if (!progress || progress.total === 0) return null;
  const { done, total } = progress;
  return (
    <span className="progress">
      <progress
        max={total}
        value={barOf(task.state, done, total)}
        data-state={task.state}
        aria-label={t('tasks.progress', { done: String(done), total: String(total) })}
      />
      <span className="progress-text" aria-hidden="true">
        {done}/{total}
      </span>
    </span>
  );
}

function actionsOf(task: Task, t: I18n['t'], run: (task: Task, action: RowAction) => void): MenuItem[] {
  const actions = task.run?.actions ?? [];
  if (actions.length === 0) return [{ key: 'none', label: t('tasks.noActions'), disabled: true }];
  return actions.map((key) => ({
    key,
    label: t(`do.${key}`),
    danger: key === 'revoke' || key === 'delete',
    run: () => run(task, key),
  }));
}
