import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, memo, useEffect, useId, useMemo, useRef, useState } from 'react';
import { useI18n } from '../i18n';
import { Icon, StateShape } from '../ui';
import { around, countsOf, lookOf, lookOfCounts, plainName } from './model';
import { closedAtFirst, outlineRows, type Row } from './outline';
import { useStates, type ViewProps } from './store';

/** The nodes of a task as a tree, with how many of each subprocess are done. */
export const Outline = memo(function Outline({ tree, store, selected, onSelect }: ViewProps) {
  const { t } = useI18n();
  const states = useStates(store);
  const counts = countsOf(tree, states);
  const [closed, setClosed] = useState(() => closedAtFirst(tree));
  const rows = useMemo(() => outlineRows(tree, states, closed), [tree, states, closed]);
  const [active, setActive] = useState<number | undefined>(selected);
  const outer = useRef<HTMLDivElement>(null);
  const id = useId();
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => outer.current,
    estimateSize: () => 28,
    getItemKey: (i) => rows[i]?.index ?? i,
    overscan: 10,
  });
  const at = rows.findIndex((r) => r.index === active);
  const there = virtual.getVirtualItems().some((item) => item.index === at);

  // What is chosen elsewhere is opened up and brought into view here.
  const scroll = useRef<(index: number) => void>(() => {});
  useEffect(() => {
    scroll.current = (index) => {
      const row = rows.findIndex((r) => r.index === index);
      if (row >= 0) virtual.scrollToIndex(row, { align: 'auto' });
    };
  });
  useEffect(() => {
    if (selected === undefined) return;
    setActive(selected);
    setClosed((old) => {
      const path = around(tree, selected).filter((p) => old.has(p));
      return path.length === 0 ? old : new Set([...old].filter((c) => !path.includes(c)));
    });
    const frame = requestAnimationFrame(() => scroll.current(selected));
    return () => cancelAnimationFrame(frame);
  }, [selected, tree]);

  const toggle = (row: Row, open: boolean) => {
    if (row.open === undefined || row.open === open) return;
    setClosed((old) => {
      const next = new Set(old);
      if (open) next.delete(row.index);
      else next.add(row.index);
      return next;
    });
  };
  const move = (to: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, to))];
    if (!row) return;
    setActive(row.index);
    virtual.scrollToIndex(rows.indexOf(row), { align: 'auto' });
  };
  const press = (e: KeyboardEvent) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const row = rows[at];
    if (e.key === 'ArrowDown') move(at + 1);
    else if (e.key === 'ArrowUp') move(at < 0 ? 0 : at - 1);
    else if (e.key === 'Home') move(0);
    else if (e.key === 'End') move(rows.length - 1);
    else if (e.key === 'ArrowRight' && row) {
      if (row.open) move(at + 1);
      else toggle(row, true);
    } else if (e.key === 'ArrowLeft' && row) {
      if (row.open) toggle(row, false);
      else {
        const parent = tree.node.get(row.index)?.parent;
        const up = rows.findIndex((r) => r.index === parent);
        if (up >= 0) move(up);
      }
    } else if (e.key === 'Enter' && row) onSelect(row.index);
    else if (e.key === ' ' && row) toggle(row, !row.open);
    else return;
    e.preventDefault();
    e.stopPropagation();
  };

  return (
    <nav className="outline panel" aria-label={t('task.outline')}>
      <h2 className="outline-head">{t('task.outline')}</h2>
      <div
        ref={outer}
        className="outline-scroll"
        role="tree"
        aria-label={t('task.outline')}
        tabIndex={0}
        aria-activedescendant={there ? `${id}-${active}` : undefined}
        onKeyDown={press}
        onFocus={() => active === undefined && move(0)}
      >
        <div className="outline-inner" role="presentation" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            const node = row && tree.node.get(row.index);
            if (!row || !node) return null;
            const inner = counts.get(row.index);
            const state = states.get(row.index);
            const look = inner && !state ? lookOfCounts(inner) : lookOf(state);
            const name = plainName(node.name) || t('ui.noName');
            return (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the tree has the keys
              <div
                key={item.key}
                id={`${id}-${row.index}`}
                role="treeitem"
                tabIndex={-1}
                aria-level={row.level}
                aria-setsize={row.size}
                aria-posinset={row.position}
                aria-expanded={row.open}
                aria-selected={row.index === selected}
                className={`outline-row${row.index === active ? ' outline-active' : ''}`}
                style={{ transform: `translateY(${item.start}px)`, paddingLeft: 6 + Math.min(row.level - 1, 12) * 14 }}
                title={name}
                onClick={() => {
                  setActive(row.index);
                  onSelect(row.index);
                }}
              >
                {row.open === undefined ? (
                  <span className="outline-gap" />
                ) : (
                  <span
                    className={row.open ? 'outline-fold outline-open' : 'outline-fold'}
                    aria-hidden="true"
                    onClick={(e) => {
                      e.stopPropagation();
                      toggle(row, !row.open);
                    }}
                  >
                    <Icon name="right" size={12} />
                  </span>
                )}
                <StateShape look={look} size={13} />
                <bdi className="outline-name">{name}</bdi>
                <span className="hidden">, {t(`state.${look}`)} </span>
                {inner && (
                  <span className={inner.failed > 0 ? 'outline-count is-failed' : 'outline-count'}>
                    {t('task.progress.short', { done: String(inner.done), total: String(inner.total) })}
                  </span>
                )}
              </div>
            );
          })}
        </div>
      </div>
    </nav>
  );
});
