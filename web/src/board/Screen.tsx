import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';
import type { TaskState } from '../api';
import { taskStates } from '../api/types';
import { useCurrentProject } from '../app/ProjectGate';
import { paths } from '../app/paths';
import { useTitle } from '../app/title';
import { useI18n } from '../i18n';
import {
  Button,
  Dialog,
  Empty,
  ErrorBox,
  FeedMark,
  Icon,
  Menu,
  Select,
  Skeleton,
  TextInput,
  useCopy,
  useKeys,
  useToast,
  type VirtualListHandle,
} from '../ui';
import { FailingNodes, Verdicts } from './Aside';
import { Paste } from './Begin';
import { type BoardCommand, Commands, type Plan } from './Commands';
import { Ending } from './Ending';
import { csv } from './export';
import { Grid } from './Grid';
import { groupName } from './GroupHead';
import { type Grouping, groupings, groupsOf, linesOf } from './groups';
import { boardPath } from './ids';
import { type FailingGroup, failingGroups, type Item } from './model';
import { arrange, type Filter, type Sort, sorts } from './order';
import { Request } from './Request';
import { Rows } from './Rows';
import { Changes, Share, Totals } from './Summary';
import { useFlowNames } from './Trees';
import { Tv } from './Tv';
import { useBoard } from './useBoard';
import { useHeld } from './useHeld';
import { useNarrow } from './useNarrow';

const views = ['rows', 'grid'] as const;
type View = (typeof views)[number];

/** The board of some tasks. */
export function Screen({ project, ids, local }: { project: number; ids: readonly number[]; local: boolean }) {
  const { t, compare } = useI18n();
  const { board, feed, retry } = useBoard(project, ids);
  const bad = board.counts.FAILED;
  useTitle(bad > 0 ? `${t('board.titleFailed', { count: bad })} · ${t('board.title')}` : t('board.title'));
  const { permissions } = useCurrentProject();
  const operates = permissions.includes('task_operate');
  const navigate = useNavigate();
  const copy = useCopy();
  const toast = useToast();
  const narrow = useNarrow();
  const [search, setSearch] = useAddress();
  const [text, setText] = useState('');
  const [selected, setSelected] = useState<ReadonlySet<number>>(new Set());
  const [active, setActive] = useState<number>();
  const [plan, setPlan] = useState<Plan>();
  const [open, setOpen] = useState<'ids' | 'request'>();
  const list = useRef<VirtualListHandle>(null);
  const panel = useRef<HTMLDivElement>(null);

  const view: View = search.get('view') === 'grid' ? 'grid' : 'rows';
  const sort = sorts.find((s) => s === search.get('sort')) ?? 'attention';
  const tv = search.get('tv') === '1';
  const stateText = search.get('state') ?? '';
  const node = search.get('node');
  const by = groupings.find((g) => g === search.get('group'));
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());

  const states = useMemo(() => {
    const chosen = stateText.split(',');
    return new Set(taskStates.filter((s) => chosen.includes(s)));
  }, [stateText]);
  const groups = useMemo(
    () => failingGroups({ failing: board.failing, trees: board.trees }),
    [board.failing, board.trees],
  );
  const chosen = node === null ? undefined : groups.find((g) => g.parts.some((p) => p.key === node));
  const filter = useMemo<Filter>(() => {
    if (node === null) return { states, text };
    return { states, text, tasks: new Set(chosen?.parts.flatMap((p) => [...p.tasks.keys()])) };
  }, [states, text, node, chosen]);
  const places = useMemo(() => arrange(board, filter, sort, compare, by), [board, filter, sort, compare, by]);
  const { shown, pending, release, hold } = useHeld(places, board.tasks, `${stateText} ${node} ${sort} ${by} ${text}`);
  const grouped = useMemo(() => (by ? groupsOf(board, shown) : undefined), [board, shown, by]);
  const lines = useMemo(() => linesOf(grouped, shown, folded), [grouped, shown, folded]);
  const flows = useFlowNames(project, by === 'flow');
  const filtered = states.size > 0 || text.trim() !== '' || node !== null;

  const select = useCallback((id: number, on: boolean) => {
    setSelected((before) => {
      const next = new Set(before);
      if (on) next.add(id);
      else next.delete(id);
      return next;
    });
  }, []);
  const fold = useCallback((key: string) => {
    setFolded((before) => {
      const next = new Set(before);
      if (!next.delete(key)) next.add(key);
      return next;
    });
  }, []);
  const toggleState = (state: TaskState) => {
    const next = new Set(states);
    if (!next.delete(state)) next.add(state);
    setSearch({ state: [...next].join(',') || undefined });
  };
  const clear = () => {
    setText('');
    setSearch({ state: undefined, node: undefined });
  };

  // What the buttons are about: the chosen tasks, else all that are shown.
  const chosenItems = useMemo(() => {
    const source = selected.size > 0 ? [...selected] : shown.map((p) => p.id);
    return source.map((id) => board.tasks.get(id)).filter((i): i is Item => i !== undefined);
  }, [selected, shown, board.tasks]);
  const plans = useMemo(() => plansFor(chosenItems), [chosenItems]);

  const go = (step: number) => {
    const order = view === 'rows' ? lines.flatMap((l) => ('place' in l ? [l.place] : [])) : shown;
    const from = order.findIndex((p) => p.id === active);
    const to = from < 0 ? 0 : Math.max(0, Math.min(order.length - 1, from + step));
    const place = order[to];
    if (!place) return;
    setActive(place.id);
    if (view === 'rows') {
      list.current?.scrollTo(lines.findIndex((l) => 'place' in l && l.place.id === place.id));
      focusRow(panel.current, place.id);
    } else panel.current?.querySelector<HTMLElement>('.board-grid')?.focus();
  };
  useKeys(t('board.title'), [
    { keys: 'j', label: t('board.key.down'), run: () => go(1) },
    { keys: 'k', label: t('board.key.up'), run: () => go(-1) },
    {
      keys: 'x',
      label: t('board.key.select'),
      run: () => active !== undefined && select(active, !selected.has(active)),
    },
    {
      keys: 'Enter',
      label: t('board.key.open'),
      run: () => active !== undefined && void navigate(paths.task(project, active)),
    },
    { keys: 'v', label: t('board.key.view'), run: () => setSearch({ view: view === 'grid' ? undefined : 'grid' }) },
    {
      keys: 'Escape',
      label: t('board.key.clear'),
      inText: true,
      run: () => {
        if (selected.size > 0) setSelected(new Set());
        else if (filtered) clear();
      },
    },
  ]);

  const commandNode = (command: 'retry' | 'skip', group: FailingGroup) =>
    setPlan({
      command,
      node: group.name,
      targets: group.parts.flatMap((p) => [...p.tasks].map(([task, id]) => ({ task, node: id }))),
      others: 0,
    });

  const exported = () => shown.map((p) => board.tasks.get(p.id)).filter((i): i is Item => i !== undefined);
  const download = () => {
    const url = URL.createObjectURL(new Blob(['\ufeff', csv(exported())], { type: 'text/csv' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = `board-${project}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  const share = async () => {
    await copy(location.href);
    if (local) toast(t('board.local'));
  };

  const loading = board.tasks.size === 0 && board.absent.size === 0;
  return (
    <div className="board">
      <div className="page-head board-head">
        <h1>{t('board.title')}</h1>
        <span className="muted">{t('board.count', { count: board.tasks.size })}</span>
        <FeedMark feed={feed} retry={retry} />
        <div className="page-side">
          <fieldset className="board-views">
            <legend className="hidden">{t('board.view')}</legend>
            {views.map((v) => (
              <Button
                key={v}
                small
                kind={v === view ? 'plain' : 'quiet'}
                aria-pressed={v === view}
                onClick={() => setSearch({ view: v === 'grid' ? 'grid' : undefined })}
              >
                {t(v === 'grid' ? 'board.view.grid' : 'board.view.rows')}
              </Button>
            ))}
          </fieldset>
          <Button small onClick={() => setOpen('ids')}>
            {t('board.edit')}
          </Button>
          <Button small onClick={() => setSearch({ tv: '1' })}>
            {t('board.tv')}
          </Button>
          <Menu
            button={{
              small: true,
              children: (
                <>
                  {t('board.share')}
                  <Icon name="down" size={12} />
                </>
              ),
            }}
            items={[
              { key: 'link', label: t('board.share.link'), run: () => void share() },
              { key: 'request', label: t('board.request'), run: () => setOpen('request') },
              {
                key: 'ids',
                label: t('board.share.ids', { count: shown.length }),
                apart: true,
                run: () => void copy(shown.map((p) => p.id).join('\n')),
              },
              { key: 'csv', label: t('board.share.csv'), run: () => void copy(csv(exported())) },
              { key: 'file', label: t('board.share.file'), run: download },
            ]}
          />
        </div>
      </div>
      {local && <p className="board-note">{t('board.local')}</p>}
      {feed.state === 'ended' && feed.error && <ErrorBox error={feed.error} />}
      <Totals board={board} chosen={states} onToggle={toggleState} />
      <Share board={board} />
      <Ending project={project} board={board} />

      <div className="board-body">
        <div className="board-main">
          <div className="board-tools">
            <div className="board-search">
              <Icon name="search" size={14} />
              <TextInput
                data-search
                aria-label={t('board.search')}
                placeholder={t('board.search')}
                value={text}
                onChange={(e) => setText(e.target.value)}
              />
            </div>
            <Select
              aria-label={t('board.sort')}
              value={sort}
              onChange={(e) => setSearch({ sort: e.target.value === 'attention' ? undefined : e.target.value })}
            >
              {sorts.map((s) => (
                <option key={s} value={s}>
                  {t(sortWords[s])}
                </option>
              ))}
            </Select>
            <Select
              aria-label={t('board.group')}
              value={by ?? ''}
              onChange={(e) => setSearch({ group: e.target.value || undefined })}
            >
              <option value="">{t('board.group.none')}</option>
              {groupings.map((g) => (
                <option key={g} value={g}>
                  {t(groupWords[g])}
                </option>
              ))}
            </Select>
            {operates && (
              <div className="board-bulk">
                <span className="muted">
                  {selected.size > 0
                    ? t('board.selected', { count: chosenItems.length })
                    : t('board.allShown', { count: chosenItems.length })}
                </span>
                {bulk.map((command) => {
                  const made = plans[command];
                  const count = new Set(made.targets.map((target) => target.task)).size;
                  return (
                    <Button
                      key={command}
                      small
                      aria-disabled={count === 0 || undefined}
                      onClick={() => count > 0 && setPlan(made)}
                    >
                      {t(command === 'retry' ? 'board.retryFailed' : `do.${command}`)}
                      <span className="board-n">{count}</span>
                    </Button>
                  );
                })}
                {selected.size > 0 && (
                  <Button small kind="quiet" onClick={() => setSelected(new Set())}>
                    {t('board.deselect')}
                  </Button>
                )}
              </div>
            )}
          </div>
          <div className="board-status">
            <span className="muted">
              {filtered
                ? t('board.shownOf', { count: shown.length, of: board.tasks.size })
                : t('board.shown', { count: shown.length })}
              {chosen && (
                <>
                  {' · '}
                  <bdi>{t('board.filteredNode', { node: chosen.name.slice(0, 60) || t('ui.noName') })}</bdi>
                </>
              )}
            </span>
            {filtered && (
              <Button small kind="quiet" onClick={clear}>
                <Icon name="close" size={12} />
                {t('board.clear')}
              </Button>
            )}
            {pending > 0 && (
              <Button small className="board-pending" onClick={release}>
                <Icon name="refresh" size={12} />
                {t('board.reorder', { count: pending })}
              </Button>
            )}
          </div>
          {/* What is under the pointer or has the focus stays where it is. */}
          <div ref={panel} className="panel board-list" {...hold}>
            {loading && <Skeleton />}
            {!loading && shown.length === 0 && (
              <Empty
                title={t(filtered ? 'board.none.filtered' : 'board.none')}
                action={filtered && <Button onClick={clear}>{t('board.clear')}</Button>}
              />
            )}
            {shown.length > 0 &&
              (view === 'rows' ? (
                <Rows
                  ref={list}
                  project={project}
                  board={board}
                  lines={lines}
                  groupName={(group) => (by ? groupName(group, by, flows, t) : '')}
                  onFold={fold}
                  selected={selected}
                  active={active}
                  narrow={narrow}
                  onSelect={select}
                  onActive={setActive}
                />
              ) : (
                <Grid
                  project={project}
                  board={board}
                  places={shown}
                  tree={search.get('tree')}
                  chosen={chosen?.parts.map((p) => p.key) ?? []}
                  active={active}
                  onActive={setActive}
                  onTree={(tree) => setSearch({ tree })}
                />
              ))}
          </div>
        </div>
        <aside className="board-aside">
          <section className="panel board-side" aria-labelledby="board-failing">
            <h2 id="board-failing">{t('board.failing')}</h2>
            <FailingNodes
              groups={groups}
              chosen={chosen}
              operates={operates}
              onChoose={(group) => setSearch({ node: group?.key })}
              onCommand={commandNode}
            />
          </section>
          <section className="panel board-side" aria-labelledby="board-changes">
            <h2 id="board-changes">{t('board.changesTitle')}</h2>
            <Changes board={board} />
          </section>
          <Verdicts board={board} project={project} />
        </aside>
      </div>

      {plan && <Commands project={project} board={board} plan={plan} onClose={() => setPlan(undefined)} />}
      {open === 'request' && <Request project={project} ids={ids} onClose={() => setOpen(undefined)} />}
      {open === 'ids' && (
        <Dialog title={t('board.edit')} wide onClose={() => setOpen(undefined)}>
          <Paste
            initial={ids.join('\n')}
            onOpen={(next) => {
              setOpen(undefined);
              void navigate(boardPath(project, next));
            }}
          />
        </Dialog>
      )}
      {tv && (
        <Tv
          board={board}
          feed={feed}
          by={by}
          flows={flows}
          title={t('board.count', { count: board.tasks.size })}
          onLeave={() => setSearch({ tv: undefined })}
        />
      )}
    </div>
  );
}

const sortWords = {
  attention: 'board.sort.attention',
  given: 'board.sort.given',
  name: 'board.sort.name',
  elapsed: 'board.sort.elapsed',
  progress: 'board.sort.progress',
  changed: 'board.sort.changed',
} as const satisfies Record<Sort, string>;

const groupWords = {
  flow: 'board.group.flow',
  state: 'board.group.state',
  by: 'board.group.by',
} as const satisfies Record<Grouping, string>;

const bulk = ['retry', 'pause', 'resume', 'revoke'] as const satisfies readonly BoardCommand[];

// For each command the tasks that take it now.
function plansFor(items: readonly Item[]): Record<(typeof bulk)[number], Plan> {
  const plan = (command: BoardCommand): Plan => ({ command, targets: [], others: 0 });
  const plans = { retry: plan('retry'), pause: plan('pause'), resume: plan('resume'), revoke: plan('revoke') };
  for (const { task } of items) {
    for (const command of ['pause', 'resume', 'revoke'] as const) {
      if (task.run?.actions.includes(command)) plans[command].targets.push({ task: task.id });
      else plans[command].others++;
    }
    const failed = task.run?.failed ?? [];
    if (failed.length === 0) plans.retry.others++;
    for (const n of failed) plans.retry.targets.push({ task: task.id, node: n.id });
  }
  return plans;
}

// The row may not be in the page yet when the list has just been scrolled to it.
function focusRow(panel: HTMLElement | null, id: number, tries = 5): void {
  const link = panel?.querySelector<HTMLElement>(`[data-task="${id}"] a`);
  if (link) link.focus({ preventScroll: true });
  else if (tries > 0) requestAnimationFrame(() => focusRow(panel, id, tries - 1));
}

// Reads and changes what the address says besides the ids; the ids stay as they are written.
function useAddress(): [URLSearchParams, (change: Record<string, string | undefined>) => void] {
  const { search, pathname } = useLocation();
  const navigate = useNavigate();
  const params = useMemo(() => new URLSearchParams(search), [search]);
  const current = useRef(search);
  useEffect(() => {
    current.current = search;
  });
  const change = useCallback(
    (values: Record<string, string | undefined>) => {
      const kept = current.current
        .replace(/^\?/, '')
        .split('&')
        .filter((part) => part !== '' && !Object.hasOwn(values, part.split('=')[0] as string));
      for (const [name, value] of Object.entries(values)) {
        if (value) kept.push(`${name}=${encodeURIComponent(value).replaceAll('%2C', ',').replaceAll('%2F', '/')}`);
      }
      void navigate(
        { pathname, search: kept.length > 0 ? `?${kept.join('&')}` : '' },
        { replace: true, preventScrollReset: true },
      );
    },
    [navigate, pathname],
  );
  return [params, change];
}
