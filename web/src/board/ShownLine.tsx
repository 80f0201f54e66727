import { useI18n } from '../i18n';
import { Button, Icon } from '../ui';
import type { ShownTasks } from './useShown';

/** Tells how many tasks are shown, why not all, and how many would move. */
export function ShownLine({
  shown: { shown, chosen, filtered, clear, pending, release },
  of,
}: {
  shown: ShownTasks;
  /** How many tasks there are. */
  of: number;
}) {
  const { t } = useI18n();
  return (
    <div className="board-status">
      <span className="muted">
        {filtered ? t('board.shownOf', { count: shown.length, of }) : t('board.shown', { count: shown.length })}
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
  );
}
