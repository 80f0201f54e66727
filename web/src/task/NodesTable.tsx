import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { serverClock } from '../api';
import { useI18n } from '../i18n';
import { Button, Duration, Empty, kindKey, type Look, Select, StateMark, TextInput } from '../ui';
import { lookOf, plainName, type Tree } from './model';
import { attemptsOf, type Column, pathOf, type Sorting, tableRows, type Wanted } from './nodes';
import { type RunStore, useNodeState, useStates, type ViewProps } from './store';

const looks: readonly Look[] = [
  'FAILED',
  'RUNNING',
  'READY',
  'SUSPENDED',
  'NODE_SUSPENDED',
  'FINISHED',
  'SKIPPED',
  'REVOKED',
  'NONE',
];
const columns: readonly Column[] = ['order', 'name', 'state', 'elapsed', 'attempts'];

/** All nodes as a table, which tells what the graph shows. */
export function NodesTable({ tree, store, selected, onSelect }: ViewProps) {
  const { t, compare } = useI18n();
  const states = useDeferredValue(useStates(store));
  const [text, setText] = useState('');
  const [look, setLook] = useState<Wanted['look']>();
  const [sorting, setSorting] = useState<Sorting>({ by: 'order', down: false });
  const rows = useMemo(
    () => tableRows(tree, states, { look, text }, sorting, compare, serverClock.now()),
    [tree, states, look, text, sorting, compare],
  );
  const outer = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => outer.current,
    estimateSize: () => 44,
    getItemKey: (i) => rows[i] ?? i,
    overscan: 10,
  });
  const bring = useRef<() => void>(() => {});
  useEffect(() => {
    bring.current = () => {
      const row = selected === undefined ? -1 : rows.indexOf(selected);
      if (row >= 0) virtual.scrollToIndex(row, { align: 'auto' });
    };
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another selection scrolls, not another order
  useEffect(() => {
    bring.current();
  }, [selected]);
  const sort = (by: Column) => setSorting((old) => ({ by, down: old.by === by ? !old.down : false }));
  return (
    <div className="nodes">
      <div className="bar-line">
        <TextInput
          data-search
          type="search"
          className="bar-search"
          placeholder={t('task.filterNodes')}
          aria-label={t('task.filterNodes')}
          value={text}
          onChange={(e) => setText(e.target.value)}
        />
        <Select
          className="bar-select"
          aria-label={t('task.state')}
          value={look ?? ''}
          onChange={(e) => setLook((e.target.value || undefined) as Wanted['look'])}
        >
          <option value="">{t('task.allStates')}</option>
          <option value="ACTIVE">{t('task.onlyActive')}</option>
          {looks.map((l) => (
            <option key={l} value={l}>
              {t(`state.${l}`)}
            </option>
          ))}
        </Select>
        <span className="muted" role="status">
          {t('task.nodesShown', { count: rows.length, all: tree.order.length })}
        </span>
      </div>
      {rows.length === 0 ? (
        <Empty
          title={t('task.noNodes')}
          action={
            <Button
              onClick={() => {
                setText('');
                setLook(undefined);
              }}
            >
              {t('task.clearFilter')}
            </Button>
          }
        />
      ) : (
        <div className="grid panel" role="table" aria-label={t('task.tab.nodes')} aria-rowcount={rows.length + 1}>
          <div className="grid-head" role="rowgroup">
            <div className="grid-row" role="row" tabIndex={-1} aria-rowindex={1}>
              {columns.map((by) => (
                <div
                  key={by}
                  role="columnheader"
                  tabIndex={-1}
                  className={`grid-cell grid-${by}`}
                  aria-sort={sorting.by === by ? (sorting.down ? 'descending' : 'ascending') : 'none'}
                >
                  <button type="button" className="grid-sort" onClick={() => sort(by)}>
                    {t(`task.column.${by}`)}
                    <span aria-hidden="true">{sorting.by === by ? (sorting.down ? ' ↓' : ' ↑') : ''}</span>
                  </button>
                </div>
              ))}
            </div>
          </div>
          <div className="grid-scroll" data-virtual ref={outer} role="presentation">
            <div className="grid-inner" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
              {virtual.getVirtualItems().map((item) => {
                const index = rows[item.index];
                if (index === undefined) return null;
                return (
                  <div
                    key={item.key}
                    ref={virtual.measureElement}
                    data-index={item.index}
                    role="row"
                    tabIndex={-1}
                    aria-rowindex={item.index + 2}
                    className={index === selected ? 'grid-row grid-line grid-chosen' : 'grid-row grid-line'}
                    style={{ transform: `translateY(${item.start}px)` }}
                  >
                    <Line tree={tree} store={store} index={index} onSelect={onSelect} />
                  </div>
                );
              })}
            </div>
          </div>
        </div>
      )}
    </div>
  );
}

const Line = memo(function Line({
  tree,
  store,
  index,
  onSelect,
}: {
  tree: Tree;
  store: RunStore;
  index: number;
  onSelect: (index: number) => void;
}) {
  const { t, number } = useI18n();
  const state = useNodeState(store, index);
  const node = tree.node.get(index);
  if (!node) return null;
  const path = pathOf(tree, index);
  const attempts = attemptsOf(state);
  const name = plainName(node.name);
  return (
    <>
      <div role="cell" className="grid-cell grid-order muted">
        {number((tree.place.get(index) ?? 0) + 1)}
      </div>
      <div role="cell" className="grid-cell grid-name">
        <button type="button" className="node-link two-lines" title={name} onClick={() => onSelect(index)}>
          <bdi>{name || t(kindKey(node.kind))}</bdi>
        </button>
        <span className="grid-under">
          {path && <bdi>{path} · </bdi>}
          {node.plugin || t(kindKey(node.kind))}
          {state?.error && <bdi className="is-failed"> · {plainName(state.error, 160)}</bdi>}
        </span>
      </div>
      <div role="cell" className="grid-cell grid-state">
        <StateMark look={lookOf(state)} />
        {state?.state === 'RUNNING' && state.phase && (
          <span className="grid-under">{t(`nodePhase.${state.phase}`)}</span>
        )}
      </div>
      <div role="cell" className="grid-cell grid-elapsed">
        {state?.started_at && <Duration from={state.started_at} to={state.finished_at} />}
      </div>
      <div role="cell" className="grid-cell grid-attempts">
        {attempts > 0 ? number(attempts) : ''}
        {state && state.loop > 1 && <span className="grid-under">{t('task.loop', { n: number(state.loop) })}</span>}
      </div>
    </>
  );
});
