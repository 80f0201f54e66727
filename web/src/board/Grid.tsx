import { useQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, memo, useEffect, useMemo, useRef, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { api } from '../api';
import { paths } from '../app/paths';
import { useI18n } from '../i18n';
import { Button, Empty, Failure, lookWord, Skeleton, StateShape } from '../ui';
import { type Column, cellLook, columnsOf, flowOrder, mostColumns } from './columns';
import { columnName, Here } from './Here';
import { type Board, cleanName, failingKey, type Item } from './model';
import type { Place } from './order';
import { TreeChoice, useFlowNames } from './Trees';
import { chosenTree, treesOf } from './trees';
import { type Cells, useCells } from './useCells';

const rowHeight = 30;
const leastColumn = 36;
const wideColumn = 84;
const mostColumn = 150;

/** Tasks of one tree by its nodes, in the order of the flow; where the tasks have several trees, one is chosen. */
export function Grid({
  project,
  board,
  places,
  tree: asked,
  chosen,
  active,
  onActive,
  onTree,
}: {
  project: number;
  board: Board;
  places: readonly Place[];
  /** The tree that was asked for, null when none was. */
  tree: string | null;
  /** The keys of nodes whose column is to be seen. */
  chosen: readonly string[];
  active: number | undefined;
  onActive: (id: number) => void;
  onTree: (tree: string) => void;
}) {
  const { t } = useI18n();
  const trees = useMemo(() => treesOf(itemsOf(board, places)), [board, places]);
  const before = useRef<string>(undefined);
  const shown = chosenTree(trees, asked, before.current);
  useEffect(() => {
    if (shown) before.current = shown.tree;
  }, [shown]);
  const flows = useFlowNames(project, trees.length > 1);
  const tree = shown?.tree ?? '';
  // The graph belongs to the tree, so any of its tasks has it; which one does not matter.
  const of = useRef<number>(undefined);
  if (shown && board.tasks.get(of.current ?? 0)?.task.run?.tree !== tree) of.current = shown.task;
  const graph = useQuery({
    queryKey: ['graph', project, tree],
    queryFn: ({ signal }) => api.graph(project, of.current ?? 0, signal),
    enabled: shown !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const order = useMemo(
    () => graph.data && flowOrder(graph.data).map((n) => ({ ...n, name: cleanName(n.name) })),
    [graph.data],
  );
  const { cells, error } = useCells(project, board, tree, order);
  if (!shown) {
    return (
      <Empty title={t('board.grid.none')}>
        <p>{t('board.grid.none.text')}</p>
      </Empty>
    );
  }
  const sharing = places.filter((p) => board.tasks.get(p.id)?.task.run?.tree === tree);
  return (
    <div className="board-grid-frame">
      {trees.length > 1 && <TreeChoice trees={trees} shown={shown} flows={flows} onChoose={onTree} />}
      {graph.isError && <Failure error={graph.error} retry={() => void graph.refetch()} />}
      {error !== undefined && cells.size === 0 && <Failure error={error} />}
      {!graph.isError && !order && <Skeleton />}
      {order && (
        <Cross
          key={tree}
          project={project}
          board={board}
          tree={tree}
          places={sharing}
          order={order}
          cells={cells}
          seek={order.find((n) => chosen.includes(failingKey(tree, n.index)))?.index}
          active={active}
          onActive={onActive}
        />
      )}
    </div>
  );
}

function itemsOf(board: Board, places: readonly Place[]): Item[] {
  return places.map((p) => board.tasks.get(p.id)).filter((i): i is Item => i !== undefined);
}

function Cross({
  project,
  board,
  tree,
  places,
  order,
  cells,
  seek,
  active,
  onActive,
}: {
  project: number;
  board: Board;
  tree: string;
  places: readonly Place[];
  order: NonNullable<Parameters<typeof columnsOf>[0]>;
  cells: Cells;
  seek: number | undefined;
  active: number | undefined;
  onActive: (id: number) => void;
}) {
  const { t, number } = useI18n();
  const navigate = useNavigate();
  const outer = useRef<HTMLDivElement>(null);
  const [unfolded, setUnfolded] = useState(false);
  const [width, setWidth] = useState(0);
  const [at, setAt] = useState(0);
  const columns = useMemo(() => columnsOf(order, unfolded), [order, unfolded]);

  useEffect(() => {
    const element = outer.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const nameWidth = width < 700 ? 132 : 260;
  const size = Math.min(
    mostColumn,
    Math.max(leastColumn, Math.floor((width - nameWidth - 2) / Math.max(1, columns.length))),
  );
  const wide = size >= wideColumn;
  const head = wide ? 52 : 148;

  const rows = useVirtualizer({
    count: places.length,
    getScrollElement: () => outer.current,
    estimateSize: () => rowHeight,
    getItemKey: (i) => places[i]?.id ?? i,
    overscan: 6,
    scrollMargin: 0,
    paddingStart: head,
    scrollPaddingStart: head,
  });
  const across = useVirtualizer({
    horizontal: true,
    count: columns.length,
    getScrollElement: () => outer.current,
    estimateSize: () => size,
    overscan: 4,
    paddingStart: nameWidth,
    scrollPaddingStart: nameWidth,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: another size is another measure
  useEffect(() => {
    across.measure();
  }, [across, size, nameWidth]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height of the head moves the rows
  useEffect(() => {
    rows.measure();
  }, [rows, head]);

  useEffect(() => {
    const column = columns.findIndex((c) => c.nodes.some((n) => n.index === seek));
    if (column >= 0) across.scrollToIndex(column, { align: 'center' });
  }, [across, columns, seek]);

  const seen = across.getVirtualItems();
  const first = seen[0]?.index ?? 0;
  const last = seen.at(-1)?.index ?? -1;
  const span = useMemo(() => columns.slice(first, last + 1), [columns, first, last]);

  const move = (e: KeyboardEvent) => {
    const row = places.findIndex((p) => p.id === active);
    const to = (r: number, c: number) => {
      const place = places[Math.max(0, Math.min(places.length - 1, r))];
      const column = Math.max(0, Math.min(columns.length - 1, c));
      if (!place) return;
      e.preventDefault();
      onActive(place.id);
      setAt(column);
      rows.scrollToIndex(places.indexOf(place), { align: 'auto' });
      across.scrollToIndex(column, { align: 'auto' });
    };
    if (e.key === 'ArrowDown') to(row + 1, at);
    else if (e.key === 'ArrowUp') to(row - 1, at);
    else if (e.key === 'ArrowRight') to(Math.max(0, row), at + 1);
    else if (e.key === 'ArrowLeft') to(Math.max(0, row), at - 1);
    else if (e.key === 'Home') to(e.ctrlKey ? 0 : Math.max(0, row), 0);
    else if (e.key === 'End') to(e.ctrlKey ? places.length - 1 : Math.max(0, row), columns.length - 1);
    else if (e.key === 'Enter' && active !== undefined && e.target === outer.current) {
      e.preventDefault();
      void navigate(paths.task(project, active));
    }
  };
  const id = (task: number, column: number) => `cell-${task}-${column}`;

  return (
    <>
      {/* One stop for the keyboard: the arrows move in it. */}
      <div
        ref={outer}
        data-virtual
        className="board-grid"
        role="grid"
        aria-label={t('board.grid.label')}
        aria-rowcount={places.length + 1}
        aria-colcount={columns.length + 1}
        aria-activedescendant={active === undefined ? undefined : id(active, at)}
        tabIndex={0}
        onKeyDown={move}
      >
        <div className="board-grid-inner" style={{ height: rows.getTotalSize(), width: across.getTotalSize() }}>
          <div className="board-grid-head" role="row" tabIndex={-1} aria-rowindex={1} style={{ height: head }}>
            <div
              className="board-grid-corner"
              role="columnheader"
              tabIndex={-1}
              aria-colindex={1}
              style={{ width: nameWidth }}
            >
              <span className="muted">
                {t('board.grid.corner', { tasks: number(places.length), nodes: order.length })}
              </span>
              {order.length > mostColumns && (
                <Button small kind="quiet" aria-pressed={unfolded} onClick={() => setUnfolded(!unfolded)}>
                  {unfolded ? t('board.grid.fold') : t('board.grid.unfold', { count: order.length })}
                </Button>
              )}
            </div>
            {seen.map((c) => {
              const column = columns[c.index];
              return (
                column && (
                  <Head
                    key={column.key}
                    column={column}
                    at={c.index}
                    x={c.start}
                    size={size}
                    wide={wide}
                    failed={failedIn(board, tree, column)}
                  />
                )
              );
            })}
          </div>
          {rows.getVirtualItems().map((r) => {
            const item = board.tasks.get(places[r.index]?.id ?? 0);
            return (
              item && (
                <Line
                  key={item.task.id}
                  project={project}
                  item={item}
                  looks={cells.get(item.task.id)?.looks}
                  columns={span}
                  first={first}
                  row={r.index}
                  y={r.start}
                  size={size}
                  nameWidth={nameWidth}
                  total={across.getTotalSize()}
                  at={item.task.id === active ? at : -1}
                  onPick={(column) => {
                    onActive(item.task.id);
                    setAt(column);
                    outer.current?.focus({ preventScroll: true }); // the arrows go on from there
                  }}
                />
              )
            );
          })}
        </div>
      </div>
      <Here project={project} item={board.tasks.get(active ?? 0)} column={columns[at]} cells={cells} />
    </>
  );
}

function failedIn(board: Board, tree: string, column: Column): number {
  const tasks = new Set<number>();
  for (const { index } of column.nodes) {
    for (const id of board.failing.get(failingKey(tree, index))?.tasks.keys() ?? []) tasks.add(id);
  }
  return tasks.size;
}

function Head({
  column,
  at,
  x,
  size,
  wide,
  failed,
}: {
  column: Column;
  at: number;
  x: number;
  size: number;
  wide: boolean;
  failed: number;
}) {
  const { t } = useI18n();
  const folded = column.key === 'fold';
  const name = columnName(column, t);
  return (
    <div
      role="columnheader"
      tabIndex={-1}
      aria-colindex={at + 2}
      className={wide ? 'board-grid-node is-wide' : 'board-grid-node'}
      title={
        folded
          ? column.nodes
              .map((n) => n.name)
              .join('\n')
              .slice(0, 2000)
          : name
      }
      style={{ transform: `translateX(${x}px)`, width: size }}
    >
      <bdi className="board-grid-node-name">{name}</bdi>
      {failed > 0 && (
        <span className="board-grid-failed" title={t('board.failedTasks', { count: failed })}>
          {failed}
        </span>
      )}
    </div>
  );
}

const Line = memo(
  function Line({
    project,
    item,
    looks,
    columns,
    first,
    row,
    y,
    size,
    nameWidth,
    total,
    at,
    onPick,
  }: {
    project: number;
    item: Item;
    looks: ReadonlyMap<number, ReturnType<typeof cellLook>> | undefined;
    columns: readonly Column[];
    first: number;
    row: number;
    y: number;
    size: number;
    nameWidth: number;
    total: number;
    at: number;
    onPick: (column: number) => void;
  }) {
    const { t } = useI18n();
    const shown = item.name || t('ui.noName');
    return (
      <div
        role="row"
        tabIndex={-1}
        aria-rowindex={row + 2}
        className={at >= 0 ? 'board-grid-line is-active' : 'board-grid-line'}
        style={{ transform: `translateY(${y}px)`, width: total }}
        data-task={item.task.id}
      >
        <div className="board-grid-name" role="rowheader" tabIndex={-1} aria-colindex={1} style={{ width: nameWidth }}>
          <StateShape look={item.task.state} />
          <Link to={paths.task(project, item.task.id)} title={`${shown} · ${item.task.id}`} tabIndex={-1}>
            <bdi className="two-lines">{shown}</bdi>
          </Link>
          <span className="hidden">{t(lookWord(item.task.state))}</span>
        </div>
        {columns.map((column, i) => {
          const look = looks ? cellLook(column, looks) : undefined;
          const word = look ? t(lookWord(look)) : '…';
          const node = columnName(column, t);
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the grid around it listens for keys
            <div
              key={column.key}
              id={`cell-${item.task.id}-${first + i}`}
              role="gridcell"
              tabIndex={-1}
              aria-colindex={first + i + 2}
              aria-label={`${node}: ${word}`}
              title={`${node} · ${word}`}
              className={['board-cell', look && `cell-${look.toLowerCase()}`, at === first + i && 'is-here']
                .filter(Boolean)
                .join(' ')}
              style={{ transform: `translateX(${nameWidth + (first + i) * size}px)`, width: size }}
              onClick={() => onPick(first + i)}
            >
              {look && <StateShape look={look} size={13} />}
            </div>
          );
        })}
      </div>
    );
  },
  // The function that picks a cell is another one each time and does the same.
  (a, b) =>
    a.item === b.item &&
    a.looks === b.looks &&
    a.columns === b.columns &&
    a.first === b.first &&
    a.row === b.row &&
    a.y === b.y &&
    a.size === b.size &&
    a.nameWidth === b.nameWidth &&
    a.total === b.total &&
    a.at === b.at,
);
