import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { useI18n } from '../i18n';
import { Icon, TextInput } from '../ui';
import type { Tree } from './model';

/** The line above the graph: search, filter, folds and zoom. */
export function Bar({
  tree,
  onFind,
  onOpen,
  children,
}: {
  tree: Tree;
  onFind: (index: number) => void;
  onOpen: (index: number) => void;
  children: ReactNode;
}) {
  const { t } = useI18n();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const found = useMemo(() => {
    const wanted = text.trim().toLowerCase();
    if (wanted === '') return [];
    return tree.order.filter((index) => tree.node.get(index)?.name.toLowerCase().includes(wanted));
  }, [tree, text]);
  const go = (to: number, list: readonly number[] = found) => {
    const index = list[(to + list.length) % list.length];
    setAt(list.length === 0 ? 0 : (to + list.length) % list.length);
    if (index !== undefined) onFind(index);
  };
  // Flies to the first one once typing pauses.
  const fly = useRef(go);
  useEffect(() => {
    fly.current = go;
  });
  useEffect(() => {
    if (found.length === 0) return;
    const timer = setTimeout(() => fly.current(0, found), 200);
    return () => clearTimeout(timer);
  }, [found]);
  return (
    <div className="bar-line">
      <span className="graph-find">
        <Icon name="search" size={14} />
        <TextInput
          data-search
          type="search"
          className="bar-search"
          placeholder={`${t('task.graph.search')} (/)`}
          aria-label={t('task.graph.search')}
          value={text}
          onChange={(e) => setText(e.target.value)}
          onKeyDown={(e) => {
            if (e.key === 'Enter') {
              e.preventDefault();
              if (e.ctrlKey || e.metaKey) {
                const index = found[at];
                if (index !== undefined) onOpen(index);
              } else go(e.shiftKey ? at - 1 : at + 1);
            } else if (e.key === 'Escape' && text !== '') {
              e.preventDefault();
              setText('');
            }
          }}
        />
      </span>
      {text.trim() !== '' && (
        <span className="muted" role="status">
          {found.length > 0 ? t('task.graph.found', { at: at + 1, count: found.length }) : t('task.graph.none')}
        </span>
      )}
      {children}
    </div>
  );
}
