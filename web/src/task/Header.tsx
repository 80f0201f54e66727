import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { api, type Feed, Intent, type NodeRef, type Task, useServerNow } from '../api';
import { paths } from '../app/paths';
import { type Key, useI18n } from '../i18n';
import {
  Ask,
  Button,
  barOf,
  besides,
  CopyButton,
  Duration,
  FeedMark,
  Icon,
  StateMark,
  shortTree,
  Time,
  taskWhy,
  useAnnounce,
  useToast,
  whySentence,
} from '../ui';
import { ExpectedFact, UsualSpan, useUsual } from '../usual';
import { plainName } from './model';

export type TaskAction = NonNullable<Task['run']>['actions'][number];

/** What the page says of the task as a whole, with what can be done to it. */
export function Header({
  project,
  task,
  feed,
  retry,
  gone,
  asking,
  onAsk,
  onSelect,
  jumps,
  onTask,
}: {
  project: number;
  task: Task;
  feed: Feed;
  retry: () => void;
  gone: boolean;
  /** The action that is being asked about. */
  asking: TaskAction | undefined;
  onAsk: (action: TaskAction | undefined) => void;
  onSelect: (index: number) => void;
  /** Leads to nodes that failed or run. */
  jumps: ReactNode;
  onTask: (task: Task) => void;
}) {
  const { t, tx, number } = useI18n();
  const run = task.run;
  const readOnly = gone || task.deleted === true;
  const started = task.started_at;
  const ended = task.finished_at;
  const usual = useUsual(project, task);
  useSayingTheEnd(task);
  return (
    <header className="run-head">
      <div className="run-title">
        <StateMark look={task.state} size={16} />
        <h1 title={plainName(task.name, 1000)}>
          <bdi>{plainName(task.name)}</bdi>
        </h1>
        <span className="run-id">
          {task.id}
          <CopyButton text={String(task.id)} label={t('task.copyId')} />
        </span>
        <div className="run-actions">
          {!readOnly && <FeedMark feed={feed} retry={retry} />}
          {!readOnly &&
            run?.actions.map((action) => (
              <Button
                key={action}
                kind={action === 'start' || action === 'resume' ? 'primary' : 'plain'}
                className={action === 'revoke' || action === 'delete' ? 'run-danger' : undefined}
                title={action === 'pause' ? `${t('do.pause')} (P)` : undefined}
                onClick={() => onAsk(action)}
              >
                {t(`do.${action}`)}
              </Button>
            ))}
        </div>
      </div>
      {readOnly && (
        <p className="run-note" role="note">
          {t(gone && !task.deleted ? 'task.gone' : 'task.deleted')}
        </p>
      )}
      {task.problem && (
        <p className="run-note" role="note">
          {t('task.problem', { problem: task.problem })}
        </p>
      )}
      <div className="run-line">
        {run && !saidByState(task) && <Phase task={task} onSelect={onSelect} />}
        {jumps}
      </div>
      <dl className="run-facts">
        {run && run.progress.total > 0 && (
          <div>
            <dt>{t('task.progress')}</dt>
            <dd className="run-progress">
              <progress
                className={run.failed_count > 0 ? 'bar bar-failed' : 'bar'}
                max={run.progress.total}
                value={barOf(task.state, run.progress.done, run.progress.total)}
                aria-label={t('task.progress')}
              />
              {t(task.state === 'FINISHED' ? 'task.progress.ran' : 'task.progress.of', {
                done: number(run.progress.done),
                total: number(run.progress.total),
              })}
            </dd>
          </div>
        )}
        {started && (
          <div>
            <dt>{t('task.elapsed')}</dt>
            <dd>
              <Duration from={started} to={ended} />
              <UsualSpan usual={usual} />
            </dd>
          </div>
        )}
        {!readOnly && <ExpectedFact task={task} usual={usual} />}
        <div>
          <dt>{started ? t('task.started') : t('task.created')}</dt>
          <dd>
            <Time at={started ?? task.created_at} />
          </dd>
        </div>
        {ended && (
          <div>
            <dt>{t('task.finished')}</dt>
            <dd>
              <Time at={ended} />
            </dd>
          </div>
        )}
        <div>
          <dt>{t('task.by')}</dt>
          <dd>
            <bdi>{plainName(task.executor || task.creator, 80)}</bdi>
            {task.executor && task.executor !== task.creator && (
              <span className="muted">
                {' '}
                · {tx('task.createdBy', { user: <bdi>{plainName(task.creator, 80)}</bdi> })}
              </span>
            )}
          </dd>
        </div>
        <div>
          <dt>{t('task.source')}</dt>
          <dd>
            {task.parent ? (
              t('task.source.parent')
            ) : task.app ? (
              <bdi>{plainName(task.app, 80)}</bdi>
            ) : (
              t('task.source.person')
            )}
          </dd>
        </div>
        {task.flow !== undefined && task.flow > 0 && (
          <div>
            <dt>{t('task.flow')}</dt>
            <dd>
              <FlowLink project={project} id={task.flow} />
              {run?.tree && <span className="muted">@{shortTree(run.tree)}</span>}
            </dd>
          </div>
        )}
        {task.parent !== undefined && task.parent > 0 && (
          <div>
            <dt>{t('task.parent')}</dt>
            <dd>
              <Link to={paths.task(project, task.parent)}>{task.parent}</Link>
            </dd>
          </div>
        )}
        {task.children && task.children.length > 0 && <Children project={project} ids={task.children} />}
      </dl>
      {asking && !readOnly && (
        <AskAction
          key={asking}
          project={project}
          task={task}
          action={asking}
          onClose={() => onAsk(undefined)}
          onTask={onTask}
        />
      )}
    </header>
  );
}

// A flow may be gone: its number stays.
function FlowLink({ project, id }: { project: number; id: number }) {
  const { data } = useQuery({
    queryKey: ['flows', project],
    queryFn: ({ signal }) => api.flows(project, signal),
    staleTime: 60_000,
  });
  const name = data?.flows.find((flow) => flow.id === id)?.name;
  return (
    <Link className="run-flow" to={paths.start(project, id)} title={name && `${plainName(name, 1000)} #${id}`}>
      <bdi>{name ? plainName(name, 80) : id}</bdi>
    </Link>
  );
}

const fewChildren = 6;

function Children({ project, ids }: { project: number; ids: readonly number[] }) {
  const { t } = useI18n();
  const [all, setAll] = useState(false);
  const shown = all ? ids : ids.slice(0, fewChildren);
  return (
    <div>
      <dt>{t('task.children')}</dt>
      <dd className="run-children">
        {shown.map((id) => (
          <Link key={id} to={paths.task(project, id)}>
            {id}
          </Link>
        ))}
        {shown.length < ids.length && (
          <Button kind="quiet" small onClick={() => setAll(true)}>
            {t('task.more', { count: ids.length - shown.length })}
          </Button>
        )}
      </dd>
    </div>
  );
}

// Of a task that is over the state beside its name says it all.
function saidByState({ run }: Task): boolean {
  return run?.why.code === 'finished' || run?.why.code === 'revoked';
}

// The sentence of why, in which the node that it names leads to that node; behind it what else goes on.
function Phase({ task, onSelect }: { task: Task; onSelect: (index: number) => void }) {
  const i18n = useI18n();
  const { t } = i18n;
  const now = useServerNow(task.run?.why.until !== undefined);
  const run = task.run;
  if (!run) return null;
  const why = taskWhy(task) ?? run.why;
  const mark = '\u0001';
  const named = why.node ? { ...why, node: { ...why.node, name: mark } } : why;
  const [before = '', after = ''] = whySentence(named, i18n, now).split(mark);
  const { running, failed } = besides(task, why);
  return (
    <p className="run-phase">
      <span className={`phase phase-${run.phase}`}>{t(`phase.${run.phase}`)}</span>
      <span>
        {before}
        {why.node && <NodeLink node={why.node} onSelect={onSelect} />}
        {after}
        {failed > 0 && <span className="is-failed">; {t('task.failedToo', { count: failed })}</span>}
        {running > 0 && <span>; {t('task.runningToo', { count: running })}</span>}
      </span>
    </p>
  );
}

/** Leads to a node of the task. */
export function NodeLink({
  node,
  onSelect,
}: {
  node: Pick<NodeRef, 'index' | 'name'>;
  onSelect: (index: number) => void;
}) {
  const { t } = useI18n();
  return (
    <button type="button" className="node-link" onClick={() => onSelect(node.index)}>
      <bdi>{plainName(node.name, 120) || t('ui.noName')}</bdi>
    </button>
  );
}

function AskAction({
  project,
  task,
  action,
  onClose,
  onTask,
}: {
  project: number;
  task: Task;
  action: TaskAction;
  onClose: () => void;
  onTask: (task: Task) => void;
}) {
  const { t, tx } = useI18n();
  const toast = useToast();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [seen] = useState(task.state);
  const [intent] = useState(() => new Intent());
  const act = async (reason: string | undefined) => {
    setBusy(true);
    setError(undefined);
    try {
      if (action === 'delete') {
        await api.deleteTask(project, task.id);
        toast(t('task.done.delete', { name: plainName(task.name, 80) }));
        void client.invalidateQueries({ queryKey: ['states', project, task.id] });
        onClose();
        void navigate(paths.tasks(project));
        return;
      }
      const answer = await api.do(project, task.id, { command: action, reason }, intent);
      toast(t(`task.done.${action}`, { name: plainName(task.name, 80) }));
      onTask(answer);
      onClose();
    } catch (e) {
      setError(e);
      setBusy(false);
    }
  };
  const text: Key = `task.ask.${action}`;
  const possible = task.run?.actions.includes(action);
  const note =
    task.state !== seen && !possible && !busy
      ? t('task.meanwhile.not', { state: t(`state.${task.state}`) })
      : undefined;
  return (
    <Ask
      title={tx('task.ask', { action: t(`do.${action}`), name: <bdi>{plainName(task.name, 200)}</bdi> })}
      note={note}
      action={t(`do.${action}`)}
      danger={action === 'revoke' || action === 'delete'}
      reason={action !== 'delete'}
      busy={busy}
      error={error}
      onClose={onClose}
      onConfirm={(reason) => void act(reason)}
    >
      <p>{t(text)}</p>
    </Ask>
  );
}

const ends: readonly string[] = ['FINISHED', 'FAILED', 'REVOKED'];

// Screen readers are told of ends only, not of each step.
function useSayingTheEnd(task: Task): void {
  const { t } = useI18n();
  const announce = useAnnounce();
  const before = useRef(task.state);
  useEffect(() => {
    if (before.current === task.state) return;
    before.current = task.state;
    if (ends.includes(task.state)) {
      announce(t('task.said', { name: plainName(task.name, 120), state: t(`state.${task.state}`) }));
    }
  }, [task.state, task.name, announce, t]);
}

/** A button that a key presses too. */
export function KeyButton({
  keys,
  label,
  onClick,
  disabled,
  icon,
  sign,
}: {
  keys: string;
  label: string;
  onClick: () => void;
  disabled?: boolean;
  icon?: 'right' | 'down';
  /** It shows only this sign; its label is said, and shown as a tip. */
  sign?: 'left' | 'right';
}) {
  return (
    <Button
      small
      aria-disabled={disabled || undefined}
      className={sign && 'button-icon'}
      aria-label={sign && label}
      title={`${label} (${keys})`}
      onClick={disabled ? undefined : onClick}
    >
      {icon && <Icon name={icon} size={12} />}
      {sign ? <Icon name={sign} size={14} /> : label}
    </Button>
  );
}
