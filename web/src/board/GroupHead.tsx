import type { ReactNode } from 'react';
import { type I18n, isKey, useI18n } from '../i18n';
import { Icon, StateShape } from '../ui';
import type { Group, Grouping } from './groups';
import { cleanName } from './model';
import { treeName } from './Trees';

/** Names a group. */
export function groupName(group: Group, by: Grouping, flows: ReadonlyMap<number, string>, t: I18n['t']): string {
  const { task, name } = group.first;
  if (by === 'state') {
    const key = `state.${group.key}`;
    return isKey(key) ? t(key) : group.key;
  }
  if (by === 'by') return cleanName(group.key) || t('board.group.nobody');
  if (group.key === '') return t('board.group.noFlow');
  return treeName({ tree: group.key, flow: task.flow, name }, flows, t);
}

/** How many tasks a group has, and how many of them failed or have ended. */
export function GroupCounts({ group }: { group: Group }): ReactNode {
  const { t } = useI18n();
  return (
    <>
      <span>{t('board.count', { count: group.places.length })}</span>
      {group.failed > 0 && (
        <span className="board-group-failed">
          <StateShape look="FAILED" size={12} /> {t('board.tree.failing', { count: group.failed })}
        </span>
      )}
      {group.ended > 0 && <span className="muted">{t('board.group.ended', { count: group.ended })}</span>}
    </>
  );
}

/** The head of a group in the list; it folds the tasks below it. */
export function GroupHead({
  group,
  name,
  folded,
  onFold,
}: {
  group: Group;
  name: string;
  folded: boolean;
  onFold: (key: string) => void;
}) {
  return (
    <button type="button" className="board-group" aria-expanded={!folded} onClick={() => onFold(group.key)}>
      <Icon name={folded ? 'right' : 'down'} size={12} />
      <bdi className="board-group-name">{name}</bdi>
      <GroupCounts group={group} />
    </button>
  );
}
