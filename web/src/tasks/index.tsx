import { useMutation } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { api, Intent, type Task, type TaskState } from '../api';
import { useCurrentProject } from '../app/ProjectGate';
import { paths } from '../app/paths';
import { useSession } from '../app/session';
import { useTitle } from '../app/title';
import { isUntouched, useEntryState } from '../app/useEntryState';
import { useI18n } from '../i18n';
import { Ask, Button, Empty, ErrorBox, errorSentence, Failure, FeedMark, Skeleton, useKeys, useToast } from '../ui';
import { Bulk } from './Bulk';
import { type Collected, collectMatching, mostSelected } from './bulk';
import { QueryBox } from './QueryBox';
import { filterOf, parseQuery, printQuery, type Range, rangeStart, ranges, usualRange } from './query';
import { pending } from './rows';
import { Strip } from './Strip';
import { type RowAction, Table } from './Table';
import { serverNow, useCounts, useFlows, useTasks } from './useTasks';
import { Views } from './Views';
import './tasks.css';

const noneSelected: ReadonlySet<number> = new Set();

export function Component() {
  const { t } = useI18n();
  const project = useCurrentProject();
  const me = useSession().data?.user ?? '';
  const [search, setSearch] = useSearchParams();
  useTitle(`${t('tasks.title')} · ${project.name}`);

  const text = search.get('q') ?? '';
  const range = ranges.find((r) => r === search.get('range')) ?? usualRange;
  const ask = (text: string, range: Range) => {
    const params = new URLSearchParams();
    if (text) params.set('q', text);
    if (range !== usualRange) params.set('range', range);
    setSearch(params, { preventScrollReset: true });
  };

  const flows = useFlows(project.id);
  const names = useMemo(() => new Map(flows.data?.flows.map((f) => [f.id, f.name])), [flows.data]);
  const { query, faults } = useMemo(() => parseQuery(text), [text]);
  const resolved = useMemo(() => filterOf(query, me, names), [query, me, names]);
  const from = useMemo(() => rangeStart(range, serverNow()), [range]);
  const filter = useMemo(() => ({ ...resolved.filter, created_from: from }), [resolved.filter, from]);
  const counts = useCounts(project.id, filter);
  const setState = (state: TaskState | undefined) => ask(printQuery({ ...query, state }), range);
  // The name of a flow means nothing before the flows are known.
  const unresolved = resolved.fault !== undefined && !flows.data;
  const allFaults = resolved.fault && !unresolved ? [...faults, resolved.fault] : faults;

  return (
    <>
      <div className="page-head">
        <h1>{t('tasks.title')}</h1>
        <Views project={project} query={text} range={range} onChoose={ask} />
        <div className="page-side">
          <Link className="button button-primary" to={paths.start(project.id)}>
            {t('tasks.new')}
          </Link>
        </div>
      </div>
      <QueryBox
        text={text}
        onText={(text) => ask(text, range)}
        range={range}
        onRange={(range) => ask(text, range)}
        flows={flows.data?.flows ?? []}
        faults={allFaults}
      />
      <Strip count={counts.data} state={query.state} onState={setState} />
      {unresolved && flows.isError && (
        <Failure error={flows.error} admins={project.admins} retry={() => void flows.refetch()} />
      )}
      {unresolved && !flows.isError && <Skeleton lines={8} />}
      {!unresolved && (
        <List
          project={project.id}
          admins={project.admins}
          filter={filter}
          state={query.state}
          waiting={query.waiting ?? false}
          slow={query.slow ?? false}
          flows={names}
          asked={text !== ''}
          range={range}
          onClear={() => ask('', range)}
          onWiden={() => ask(text, 'all')}
        />
      )}
    </>
  );
}

interface ListProps {
  project: number;
  admins: readonly string[];
  filter: Parameters<typeof useTasks>[0]['filter'];
  state: TaskState | undefined;
  waiting: boolean;
  slow: boolean;
  flows: ReadonlyMap<number, string>;
  /** Whether the list is narrowed by more than its range. */
  asked: boolean;
  range: Range;
  onClear: () => void;
  onWiden: () => void;
}

function List({ project, admins, filter, state, waiting, slow, flows, asked, range, onClear, onWiden }: ListProps) {
  const { t } = useI18n();
  const [length, setLength] = useEntryState('tasks.length', 0);
  const wanted = { project, filter, state, waiting, slow, length };
  const { rows, list, feed, retry, cut, key, usuals, show, put } = useTasks(wanted);
  const [selected, setSelected] = useEntryState('tasks.selected', noneSelected);
  const table = useRef<HTMLTableElement>(null);
  const left = useComingBack(table, rows.shown.length);
  const matching = useMatching(project, filter, { state, waiting, slow }, (tasks) =>
    setSelected(new Set(tasks.map((x) => x.id))),
  );
  const [doing, setDoing] = useState<{ task: Task; action: RowAction }>();
  const before = useRef(key);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list has nothing selected
  useEffect(() => {
    if (before.current === key) return;
    before.current = key;
    setSelected(noneSelected);
    matching.reset();
  }, [key]);
  useEffect(() => {
    if (rows.shown.length > 0) setLength(rows.shown.length);
  }, [rows.shown.length, setLength]);

  const select = useCallback(
    (id: number, on: boolean) => {
      setSelected((before) => {
        const after = new Set(before);
        if (on) after.add(id);
        else after.delete(id);
        return after;
      });
    },
    [setSelected],
  );
  const act = useRowAction(project, put, () => setDoing(undefined));
  const { mutate } = act;
  const onAction = useCallback(
    (task: Task, action: RowAction) => {
      if (action === 'start' || action === 'resume') mutate({ task, action, reason: undefined });
      else setDoing({ task, action });
    },
    [mutate],
  );
  const refresh = async (ids: number[]) => put((await api.status(project, { ids, run: true })).tasks);

  const changed = pending(rows);
  // Where nothing is shown, nothing can move.
  useEffect(() => {
    if (rows.shown.length === 0 && changed > 0) show();
  }, [rows.shown.length, changed, show]);

  const older = () => {
    if (list.hasNextPage && !list.isFetchingNextPage) void list.fetchNextPage();
  };
  useRowKeys(table, { select, selected, show, older, changed });

  if (list.isPending) return <Skeleton lines={10} />;
  if (list.isError && !list.data) {
    return <Failure error={list.error} admins={admins} retry={() => void list.refetch()} />;
  }
  const here = new Set(rows.shown.map((task) => task.id));
  const beyond = matching.data?.tasks.filter((task) => selected.has(task.id) && !here.has(task.id)) ?? [];
  const chosen = [...rows.shown.filter((task) => selected.has(task.id)), ...beyond];
  const clear = () => {
    setSelected(noneSelected);
    matching.reset();
  };
  return (
    <>
      {list.isError && <ErrorBox error={list.error} retry={() => void list.refetch()} />}
      {act.error && !doing && <ErrorBox error={act.error} />}
      <div className="list-head">
        <FeedMark feed={feed} retry={retry} />
        {changed > 0 && (
          <Button small className="list-changed" onClick={show}>
            {t('tasks.changed', { count: changed })}
          </Button>
        )}
        <span className="muted list-count" role="status">
          {t('tasks.shown', { count: rows.shown.length })}
          {cut && (
            <span className="list-cut" title={t('tasks.followed.why')}>
              {' · '}
              {t('tasks.followed')}
            </span>
          )}
        </span>
      </div>
      {rows.shown.length === 0 ? (
        <Nothing
          loading={list.isFetching}
          more={list.hasNextPage}
          asked={asked}
          range={range}
          project={project}
          onClear={onClear}
          onWiden={onWiden}
        />
      ) : (
        <Table
          ref={table}
          onOpen={left}
          rows={rows}
          selected={selected}
          flows={flows}
          usuals={usuals}
          busy={list.isPlaceholderData}
          onSelect={select}
          onSelectAll={(on) => (on ? setSelected(new Set(rows.shown.map((task) => task.id))) : clear())}
          onAction={onAction}
        />
      )}
      <div className="list-foot">
        {list.hasNextPage && (
          <Button busy={list.isFetchingNextPage} onClick={older}>
            {t('tasks.older')}
          </Button>
        )}
      </div>
      {chosen.length > 0 && (
        <Bulk
          project={project}
          tasks={chosen}
          all={
            list.hasNextPage && (
              <AllMatching
                whole={rows.shown.every((task) => selected.has(task.id))}
                count={chosen.length}
                matching={matching}
              />
            )
          }
          onClear={clear}
          onDone={(ids) => void refresh(ids).catch(() => {})}
        />
      )}
      {doing && (
        <Ask
          title={t(`tasks.askOne.${doing.action as 'pause' | 'revoke' | 'delete'}`, {
            name: doing.task.name || `#${doing.task.id}`,
          })}
          action={t(`do.${doing.action}`)}
          danger={doing.action !== 'pause'}
          reason={doing.action !== 'delete'}
          busy={act.isPending}
          error={act.error}
          onClose={() => {
            setDoing(undefined);
            act.reset();
          }}
          onConfirm={(reason) => mutate({ ...doing, reason })}
        />
      )}
    </>
  );
}

// Whoever comes back stands where the list was left: at the task that was opened. What it gives notes which that is.
function useComingBack(table: React.RefObject<HTMLTableElement | null>, rows: number): (id: number) => void {
  const [opened, setOpened] = useEntryState('tasks.opened', 0);
  const back = useRef(opened);
  useEffect(() => {
    if (back.current === 0 || rows === 0) return;
    const link = table.current?.querySelector<HTMLElement>(`tr[data-row="${back.current}"] [data-open]`);
    back.current = 0;
    if (!isUntouched()) return;
    link?.scrollIntoView({ block: 'center' });
    link?.focus({ preventScroll: true });
  }, [rows, table]);
  return setOpened;
}

/** Selects all tasks of a filter, those too that are not shown, up to the most that can be; which ones stays with the entry. */
function useMatching(
  project: number,
  filter: ListProps['filter'],
  query: Pick<ListProps, 'state' | 'waiting' | 'slow'>,
  done: (tasks: readonly Task[]) => void,
) {
  const [data, setData] = useEntryState<Collected | undefined>('tasks.matching', undefined);
  const { mutate, reset, isPending, error } = useMutation({
    mutationFn: () => collectMatching(project, filter, query),
    onSuccess: (found) => {
      setData(found);
      done(found.tasks);
    },
  });
  return {
    ...{ data, error, isPending },
    mutate: () => mutate(),
    reset: () => {
      setData(undefined);
      reset();
    },
  };
}

function AllMatching({
  whole,
  count,
  matching,
}: {
  /** All that are shown are selected. */
  whole: boolean;
  count: number;
  matching: ReturnType<typeof useMatching>;
}) {
  const { t, number } = useI18n();
  const { data, error, isPending, mutate } = matching;
  if (error) {
    return (
      <span className="is-failed" role="alert">
        {errorSentence(error, t)}
      </span>
    );
  }
  if (data && count >= data.tasks.length) {
    return (
      <span className="muted">
        {data.more ? t('tasks.bulk.most', { most: number(mostSelected) }) : t('tasks.bulk.whole')}
      </span>
    );
  }
  if (!whole) return null;
  return (
    <Button small busy={isPending} onClick={() => mutate()}>
      {t(isPending ? 'ui.loading' : 'tasks.bulk.all')}
    </Button>
  );
}

function useRowAction(project: number, put: (tasks: readonly Task[]) => void, done: () => void) {
  const { t } = useI18n();
  const toast = useToast();
  return useMutation({
    mutationFn: async ({ task, action, reason }: { task: Task; action: RowAction; reason: string | undefined }) => {
      // Each of these has its effect once by itself: a task that is paused is not paused again.
      if (action !== 'delete') return api.do(project, task.id, { command: action, reason }, new Intent());
      await api.deleteTask(project, task.id);
      return undefined;
    },
    onSuccess: (after, { task, action }) => {
      if (after) put([after]);
      done();
      toast(t(`tasks.done.${action}`, { name: task.name || `#${task.id}` }));
    },
  });
}

// The row of the keyboard is the one that has the focus.
function useRowKeys(
  table: React.RefObject<HTMLTableElement | null>,
  on: {
    select: (id: number, on: boolean) => void;
    selected: ReadonlySet<number>;
    show: () => void;
    older: () => void;
    changed: number;
  },
): void {
  const { t } = useI18n();
  const all = () => [...(table.current?.querySelectorAll<HTMLElement>('tbody tr') ?? [])];
  const at = () => all().findIndex((row) => row.contains(document.activeElement));
  const go = (to: number) => {
    const rows = all();
    const row = rows[Math.max(0, Math.min(to, rows.length - 1))];
    row?.querySelector<HTMLElement>('[data-open]')?.focus();
    row?.scrollIntoView({ block: 'nearest' });
  };
  useKeys(t('tasks.title'), [
    { keys: 'j', label: t('tasks.keys.next'), run: () => go(at() + 1) },
    { keys: 'k', label: t('tasks.keys.previous'), run: () => go(at() < 0 ? 0 : at() - 1) },
    {
      keys: 'x',
      label: t('tasks.keys.select'),
      run: () => {
        const id = Number(all()[at()]?.dataset.row);
        if (id > 0) on.select(id, !on.selected.has(id));
      },
    },
    {
      keys: 'm',
      label: t('tasks.keys.actions'),
      run: () => all()[at()]?.querySelector<HTMLElement>('[aria-haspopup=menu]')?.click(),
    },
    { keys: 'u', label: t('tasks.keys.show'), run: () => on.changed > 0 && on.show() },
    { keys: 'e', label: t('tasks.older'), run: on.older },
  ]);
}

/** Why there is nothing in the list, and what to do about it. */
function Nothing({
  loading,
  more,
  asked,
  range,
  project,
  onClear,
  onWiden,
}: Pick<ListProps, 'asked' | 'range' | 'project' | 'onClear' | 'onWiden'> & { loading: boolean; more: boolean }) {
  const { t } = useI18n();
  if (loading) return <Skeleton lines={8} />;
  const widen = range !== 'all' && <Button onClick={onWiden}>{t('tasks.empty.widen')}</Button>;
  if (asked) {
    return (
      <Empty
        title={t(more ? 'tasks.empty.notHere' : 'tasks.empty.query')}
        action={
          <>
            <Button onClick={onClear}>{t('tasks.empty.clear')}</Button>
            {widen}
          </>
        }
      >
        <p>{t('tasks.empty.range', { range: t(`tasks.range.${range}`) })}</p>
      </Empty>
    );
  }
  if (range !== 'all') {
    return (
      <Empty title={t('tasks.empty.inRange', { range: t(`tasks.range.${range}`) })} action={widen}>
        <FirstSteps project={project} />
      </Empty>
    );
  }
  return (
    <Empty title={t('tasks.empty.first')}>
      <FirstSteps project={project} />
    </Empty>
  );
}

function FirstSteps({ project }: { project: number }) {
  const { tx, t } = useI18n();
  return (
    <ul className="first-steps">
      <li>
        <Link to={paths.start(project)}>{t('tasks.empty.start')}</Link>
      </li>
      <li>{tx('tasks.empty.import', { command: <code>stdops flow import</code> })}</li>
      <li>{tx('tasks.empty.demo', { command: <code>stdops demo</code> })}</li>
    </ul>
  );
}
