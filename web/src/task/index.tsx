import { lazy, Suspense, useCallback, useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';
import { useCurrentProject } from '../app/ProjectGate';
import { paths } from '../app/paths';
import { useTitle } from '../app/title';
import { useBackTo } from '../app/trail';
import { useI18n } from '../i18n';
import { NodeDrawer } from '../node';
import { Button, Empty, Failure, Skeleton, StateMark, Tabs, useKeys, useOffers } from '../ui';
import { Events } from './Events';
import { Header, KeyButton, type TaskAction } from './Header';
import { failedNodes, nextOf, plainName, runningNodes } from './model';
import { NodesTable } from './NodesTable';
import { Outline } from './Outline';
import { Params } from './Params';
import { useRun } from './useRun';
import './task.css';

const GraphView = lazy(() => import('./GraphView'));
const Timeline = lazy(() => import('./Timeline'));

const tabs = ['graph', 'timeline', 'nodes', 'events', 'params', 'audit'] as const;
type TabKey = (typeof tabs)[number];

/** The page of one task. */
export function Component() {
  const { t } = useI18n();
  const project = useCurrentProject();
  const [params] = useSearchParams();
  const given = params.get('instance_id') ?? '';
  const id = /^\d{1,15}$/.test(given) ? Number(given) : 0;
  useTitle(t('task.title'));
  if (id === 0) {
    return (
      <Empty
        page
        title={t('task.noId')}
        action={
          <a className="button" href={`.${paths.tasks(project.id)}`}>
            {t('task.toTasks')}
          </a>
        }
      />
    );
  }
  return <TaskPage key={`${project.id}/${id}`} project={project.id} admins={project.admins} id={id} />;
}

function TaskPage({ project, admins, id }: { project: number; admins: readonly string[]; id: number }) {
  const { t } = useI18n();
  const run = useRun(project, id);
  const { task, tree, states, store } = run;
  const [params, setParams] = useSearchParams();
  // Of a deleted task the server tells neither how its nodes follow each other nor what happened; the first may be known.
  const deleted = task?.deleted === true;
  const drawn = tree !== undefined && tree.graph.edges.length > 0;
  const shown = !deleted ? tabs : drawn ? (['graph', 'nodes'] as const) : (['nodes'] as const);
  const tab: TabKey = shown.find((k) => k === params.get('tab')) ?? shown[0];
  const index = Number(params.get('node') ?? '');
  const selected = Number.isInteger(index) && tree?.node.has(index) ? index : undefined;
  // Where the keyboard is once the drawer is closed again.
  const [last, setLast] = useState<number | undefined>(selected);
  const at = selected ?? last;
  const [asking, setAsking] = useState<TaskAction>();
  useTitle(task ? `${t(`state.${task.state}`)} · ${plainName(task.name, 80)}` : t('task.title'));

  const set = useCallback(
    (name: string, value: string | undefined) =>
      setParams(
        (old) => {
          const next = new URLSearchParams(old);
          if (value === undefined) next.delete(name);
          else next.set(name, value);
          if (name === 'node') next.delete('log'); // a line of the log of another node
          return next;
        },
        { replace: true, preventScrollReset: true },
      ),
    [setParams],
  );
  const select = useCallback(
    (node: number) => {
      setLast(node);
      set('node', String(node));
    },
    [set],
  );
  const close = useCallback(() => set('node', undefined), [set]);

  const failed = useMemo(() => (tree ? failedNodes(tree, states) : []), [tree, states]);
  const running = useMemo(() => (tree ? runningNodes(tree, states) : []), [tree, states]);
  const go = (node: number | undefined) => {
    if (node !== undefined) select(node);
  };
  const stepFailed = (step: 1 | -1) => tree && go(nextOf(failed, tree, at, step));
  const nextRunning = () => tree && go(nextOf(running, tree, at, 1));
  const may = (action: TaskAction) => !run.gone && !task?.deleted && task?.run?.actions.includes(action);
  const back = useBackTo(paths.tasks(project));
  useKeys(t('task.keys'), [
    { keys: 'f', label: t('task.firstFailure'), run: () => go(failed[0]) },
    { keys: ']', label: t('task.nextFailed'), run: () => stepFailed(1) },
    { keys: '[', label: t('task.previousFailed'), run: () => stepFailed(-1) },
    { keys: 'r', label: t('task.toRunning'), run: () => nextRunning() },
    { keys: 'P', label: t('task.pause'), run: () => may('pause') && setAsking('pause') },
    {
      keys: 'Escape',
      label: t('task.back'),
      inText: 'empty',
      last: true,
      // Whoever holds the key to close something stays.
      run: (e) => !e.repeat && back(),
    },
  ]);
  useOffers(
    task ? plainName(task.name) : '',
    (task?.run?.actions ?? []).filter(may).map((action) => ({
      key: action,
      label: t(`do.${action}`),
      run: () => setAsking(action),
    })),
  );

  if (!task) {
    if (run.error) return <Failure page error={run.error} retry={run.reload} admins={admins} />;
    return <Skeleton />;
  }
  const view = { project, task, store, selected: at, onSelect: select };
  const noGraph =
    run.graphError !== undefined && run.graphError !== null ? (
      <Failure error={run.graphError} retry={run.reload} admins={admins} />
    ) : (
      <Skeleton />
    );
  const jumps = (
    <div className="run-jumps">
      {failed.length > 0 && (
        <>
          <StateMark look="FAILED" word={t('task.failedCount', { count: failed.length })} />
          <KeyButton keys="f" label={t('task.firstFailure')} onClick={() => go(failed[0])} />
          <KeyButton
            keys="["
            sign="left"
            label={t('task.previousFailed')}
            disabled={failed.length < 2 && at === failed[0]}
            onClick={() => stepFailed(-1)}
          />
          <KeyButton
            keys="]"
            sign="right"
            label={t('task.nextFailed')}
            disabled={failed.length < 2 && at === failed[0]}
            onClick={() => stepFailed(1)}
          />
        </>
      )}
      {/* They stay while the task goes on, so that nothing jumps from node to node. */}
      {(running.length > 0 || task.run?.phase === 'running') && (
        <>
          <StateMark look="RUNNING" word={t('task.runningCount', { count: running.length })} />
          <KeyButton keys="r" label={t('task.toRunning')} disabled={running.length === 0} onClick={nextRunning} />
        </>
      )}
    </div>
  );
  return (
    <div className="run">
      <Header
        project={project}
        task={task}
        feed={run.feed}
        retry={run.retry}
        gone={run.gone}
        asking={asking}
        onAsk={setAsking}
        onSelect={select}
        jumps={jumps}
        onTask={(answer) => {
          store.task(answer);
          run.reload();
        }}
      />
      <div className="run-body">
        {tree && <Outline tree={tree} store={store} selected={at} onSelect={select} />}
        <div className="run-main">
          <Tabs<TabKey>
            label={t('task.views')}
            tabs={shown.map((key) => ({ key, label: t(`task.tab.${key}`) }))}
            current={tab}
            onChange={(key) => set('tab', key === 'graph' ? undefined : key)}
          >
            <Suspense fallback={<Skeleton />}>
              {tab === 'events' && <Events key="events" {...view} tree={tree} />}
              {tab === 'audit' && <Events key="audit" {...view} tree={tree} asked />}
              {tab === 'params' && <Params project={project} task={task} />}
              {(tab === 'graph' || tab === 'timeline' || tab === 'nodes') && !tree && noGraph}
              {tab === 'graph' && tree && <GraphView {...view} tree={tree} />}
              {tab === 'timeline' && tree && <Timeline {...view} tree={tree} />}
              {tab === 'nodes' && tree && <NodesTable {...view} tree={tree} />}
            </Suspense>
          </Tabs>
        </div>
        {tree && run.known && !deleted && selected !== undefined && (
          <NodeDrawer
            project={project}
            task={task}
            graph={tree.graph}
            states={states}
            index={selected}
            onClose={close}
            onSelect={select}
          />
        )}
      </div>
      {params.has('node') && tree && selected === undefined && (
        <p className="run-note" role="note">
          {t('task.noNode', { node: plainName(params.get('node') ?? '', 20) })}{' '}
          <Button kind="quiet" small onClick={close}>
            {t('ui.dismiss')}
          </Button>
        </p>
      )}
    </div>
  );
}
