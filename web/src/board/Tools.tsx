import { useMemo } from 'react';
import { useI18n } from '../i18n';
import { Button, Icon, Select, TextInput } from '../ui';
import type { Plan } from './Commands';
import { type Grouping, groupings } from './groups';
import type { Item } from './model';
import { type Sort, sorts } from './order';
import { bulkCommands, plansFor } from './plans';
import type { ChangeAddress } from './useAddress';
import type { ShownTasks } from './useShown';

/** The line above the list: search, order, groups, and what can be done to many tasks. */
export function Tools({
  shown: { text, setText, sort, by },
  onAddress,
  children,
}: {
  shown: ShownTasks;
  onAddress: ChangeAddress;
  children: React.ReactNode;
}) {
  const { t } = useI18n();
  return (
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
        onChange={(e) => onAddress({ sort: e.target.value === 'attention' ? undefined : e.target.value })}
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
        onChange={(e) => onAddress({ group: e.target.value || undefined })}
      >
        <option value="">{t('board.group.none')}</option>
        {groupings.map((g) => (
          <option key={g} value={g}>
            {t(groupWords[g])}
          </option>
        ))}
      </Select>
      {children}
    </div>
  );
}

/** What can be done to the chosen tasks, else to all that are shown. */
export function Bulk({
  items,
  selected,
  onPlan,
  onDeselect,
}: {
  items: readonly Item[];
  /** Whether they were chosen. */
  selected: boolean;
  onPlan: (plan: Plan) => void;
  onDeselect: () => void;
}) {
  const { t } = useI18n();
  const plans = useMemo(() => plansFor(items), [items]);
  return (
    <div className="board-bulk">
      <span className="muted">{t(selected ? 'board.selected' : 'board.allShown', { count: items.length })}</span>
      {bulkCommands.map((command) => {
        const made = plans[command];
        const count = new Set(made.targets.map((target) => target.task)).size;
        return (
          <Button
            key={command}
            small
            aria-disabled={count === 0 || undefined}
            onClick={() => count > 0 && onPlan(made)}
          >
            {t(command === 'retry' ? 'board.retryFailed' : `do.${command}`)}
            <span className="board-n">{count}</span>
          </Button>
        );
      })}
      {selected && (
        <Button small kind="quiet" onClick={onDeselect}>
          {t('board.deselect')}
        </Button>
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
