import { Link } from 'react-router';
import { paths } from '../app/paths';
import { useI18n } from '../i18n';
import { StateMark } from '../ui';
import { type Column, cellLook } from './columns';
import type { Item } from './model';
import type { Cells } from './useCells';

/** Tells in words what the chosen cell of the grid says, for whoever has no pointer to rest on it. */
export function Here({
  project,
  item,
  column,
  cells,
}: {
  project: number;
  item: Item | undefined;
  column: Column | undefined;
  cells: Cells;
}) {
  const { t } = useI18n();
  const looks = item && cells.get(item.task.id)?.looks;
  const node = column?.nodes.length === 1 ? column.nodes[0] : undefined;
  if (!item || !column) return <p className="board-grid-here muted">{t('board.grid.hint')}</p>;
  const address = paths.task(project, item.task.id);
  return (
    <p className="board-grid-here">
      {looks && <StateMark look={cellLook(column, looks)} />}
      <Link to={node ? `${address}&node=${node.index}` : address}>
        <bdi>{columnName(column, t)}</bdi>
      </Link>
      <bdi className="muted">{item.name || t('ui.noName')}</bdi>
    </p>
  );
}

/** Names a column: by its node, or by how many nodes are folded in it. */
export function columnName(column: Column, t: ReturnType<typeof useI18n>['t']): string {
  if (column.key === 'fold') return t('board.grid.rest', { count: column.nodes.length });
  return column.nodes[0]?.name || t('ui.noName');
}
