import type { ReactNode } from 'react';
import { useI18n } from '../i18n';
import { Button, Icon, IconButton } from '../ui';

/** What the line above the graph has beside the search: filter, folds, the export and zoom. */
export function Tools({
  onlyActive,
  onOnlyActive,
  folds,
  exported,
  onIn,
  onOut,
  onFit,
}: {
  onlyActive: boolean;
  onOnlyActive: (on: boolean) => void;
  /** Undefined where nothing folds. */
  folds: { unfolded: boolean; onUnfoldAll: (unfolded: boolean) => void } | undefined;
  exported: ReactNode;
  onIn: () => void;
  onOut: () => void;
  onFit: () => void;
}) {
  const { t } = useI18n();
  return (
    <>
      <label className="check" title={`${t('task.graph.active')}: ${t('task.graph.active.title')}`}>
        <input type="checkbox" checked={onlyActive} onChange={(e) => onOnlyActive(e.target.checked)} />
        <span className="bar-sign">
          <Icon name="filter" size={14} />
        </span>
        <span className="bar-word">{t('task.graph.active')}</span>
      </label>
      {folds && (
        <>
          <Button small title={t('task.graph.unfoldAll')} onClick={() => folds.onUnfoldAll(true)}>
            <BarLabel sign="unfold" word={t('task.graph.unfoldAll')} />
          </Button>
          <Button
            small
            title={t('task.graph.foldAll')}
            aria-disabled={!folds.unfolded || undefined}
            onClick={() => folds.onUnfoldAll(false)}
          >
            <BarLabel sign="fold" word={t('task.graph.foldAll')} />
          </Button>
        </>
      )}
      {exported}
      <span className="graph-zoom">
        <IconButton small label={`${t('task.graph.out')} (-)`} onClick={onOut}>
          <span aria-hidden="true">−</span>
        </IconButton>
        <IconButton small label={`${t('task.graph.in')} (+)`} onClick={onIn}>
          <span aria-hidden="true">+</span>
        </IconButton>
        <Button small title={`${t('task.graph.fit')} (0)`} onClick={onFit}>
          <BarLabel sign="fit" word={t('task.graph.fit')} />
        </Button>
      </span>
    </>
  );
}

/** What a button of the line shows: its word, or where there is no room a sign, and the word is only said. */
export function BarLabel({ sign, word }: { sign: 'unfold' | 'fold' | 'fit' | 'download'; word: string }) {
  return (
    <>
      <span className="bar-sign">
        <Icon name={sign} size={14} />
      </span>
      <span className="bar-word">{word}</span>
    </>
  );
}
