import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import { useCurrentProject } from '../app/ProjectGate';
import { paths } from '../app/paths';
import { useTitle } from '../app/title';
import { isUntouched, useEntryState } from '../app/useEntryState';
import { useI18n } from '../i18n';
import { Button, Dialog, Empty, Failure, Skeleton, useKeys, type VirtualListHandle } from '../ui';
import { FailingNodes, Verdicts } from './Aside';
import { Paste } from './Begin';
import { Commands, type Plan } from './Commands';
import { Ending } from './Ending';
import { Grid } from './Grid';
import { groupName } from './GroupHead';
import { Head, type View } from './Head';
import { boardPath } from './ids';
import type { FailingGroup, Item } from './model';
import { Request } from './Request';
import { Rows } from './Rows';
import { ShownLine } from './ShownLine';
import { Changes, Share, Totals } from './Summary';
import { Bulk, Tools } from './Tools';
import { useFlowNames } from './Trees';
import { Tv } from './Tv';
import { useAddress } from './useAddress';
import { useBoard } from './useBoard';
import { useNarrow } from './useNarrow';
import { useShown } from './useShown';

const noneSelected: ReadonlySet<number> = new Set();

/** The board of some tasks. */
export function Screen({ project, ids, local }: { project: number; ids: readonly number[]; local: boolean }) {
  const { t } = useI18n();
  const live = useBoard(project, ids);
  const { board, feed } = live;
  const bad = board.counts.FAILED;
  useTitle(bad > 0 ? `${t('board.titleFailed', { count: bad })} · ${t('board.title')}` : t('board.title'));
  const { permissions, admins } = useCurrentProject();
  const operates = permissions.includes('task_operate');
  const navigate = useNavigate();
  const narrow = useNarrow();
  const [address, setAddress] = useAddress();
  const view: View = address.get('view') === 'grid' ? 'grid' : 'rows';
  const what = useShown(board, address, setAddress);
  const { shown, lines, by, chosen, filtered, clear } = what;
  const flows = useFlowNames(project, by === 'flow');
  const [selected, setSelected] = useEntryState('board.selected', noneSelected);
  const [active, setActive] = useEntryState<number | undefined>('board.active', undefined);
  const [plan, setPlan] = useState<Plan>();
  const [open, setOpen] = useState<'ids' | 'request'>();
  const list = useRef<VirtualListHandle>(null);
  const panel = useRef<HTMLDivElement>(null);

  const select = useCallback(
    (id: number, on: boolean) => {
      setSelected((before) => {
        const next = new Set(before);
        if (on) next.add(id);
        else next.delete(id);
        return next;
      });
    },
    [setSelected],
  );
  // What the buttons are about: the chosen tasks, else all that are shown.
  const items = useMemo(() => {
    const source = selected.size > 0 ? [...selected] : shown.map((p) => p.id);
    return source.map((id) => board.tasks.get(id)).filter((i): i is Item => i !== undefined);
  }, [selected, shown, board.tasks]);

  // Whoever comes back stands at the task that was opened.
  const back = useRef(active);
  useEffect(() => {
    const at = lines.findIndex((l) => 'place' in l && l.place.id === back.current);
    if (back.current === undefined || at < 0) return;
    if (view === 'rows' && isUntouched()) {
      list.current?.scrollTo(at);
      focusRow(panel.current, back.current);
    }
    back.current = undefined;
  }, [lines, view]);

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
    { keys: 'v', label: t('board.key.view'), run: () => setAddress({ view: view === 'grid' ? undefined : 'grid' }) },
    {
      keys: 'Escape',
      label: t('board.key.clear'),
      inText: true,
      run: () => {
        if (selected.size > 0) setSelected(noneSelected);
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

  const unknown = board.tasks.size === 0 && board.absent.size === 0;
  return (
    <div className="board">
      <Head
        project={project}
        live={live}
        local={local}
        view={view}
        shown={shown}
        onAddress={setAddress}
        onOpen={setOpen}
      />
      {local && <p className="board-note">{t('board.local')}</p>}
      {feed.state === 'ended' && feed.error && <Failure error={feed.error} admins={admins} retry={live.retry} />}
      <Totals board={board} chosen={what.states} onToggle={what.toggleState} />
      <Share board={board} />
      <Ending project={project} board={board} />

      <div className="board-body">
        <div className="board-main">
          <Tools shown={what} onAddress={setAddress}>
            {operates && (
              <Bulk
                items={items}
                selected={selected.size > 0}
                onPlan={setPlan}
                onDeselect={() => setSelected(noneSelected)}
              />
            )}
          </Tools>
          <ShownLine shown={what} of={board.tasks.size} />
          {/* What is under the pointer or has the focus stays where it is. */}
          <div ref={panel} className="panel board-list" {...what.hold}>
            {unknown && feed.state !== 'ended' && <Skeleton />}
            {!unknown && shown.length === 0 && (
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
                  onFold={what.fold}
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
                  tree={address.get('tree')}
                  chosen={chosen?.parts.map((p) => p.key) ?? []}
                  active={active}
                  onActive={setActive}
                  onTree={(tree) => setAddress({ tree })}
                />
              ))}
          </div>
        </div>
        <aside className="board-aside">
          <section className="panel board-side" aria-labelledby="board-failing">
            <h2 id="board-failing">{t('board.failing')}</h2>
            <FailingNodes
              groups={what.failing}
              chosen={chosen}
              operates={operates}
              onChoose={(group) => setAddress({ node: group?.key })}
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
      {address.get('tv') === '1' && (
        <Tv
          project={project}
          board={board}
          feed={feed}
          by={by}
          flows={flows}
          title={t('board.count', { count: board.tasks.size })}
          onLeave={() => setAddress({ tv: undefined })}
        />
      )}
    </div>
  );
}

// The row may not be in the page yet when the list has just been scrolled to it.
function focusRow(panel: HTMLElement | null, id: number, tries = 5): void {
  const link = panel?.querySelector<HTMLElement>(`[data-task="${id}"] a`);
  if (link) link.focus({ preventScroll: true });
  else if (tries > 0) requestAnimationFrame(() => focusRow(panel, id, tries - 1));
}
