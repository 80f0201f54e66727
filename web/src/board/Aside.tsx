import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, type Task } from '../api';
import { paths } from '../app/paths';
import { useI18n } from '../i18n';
import { Button, Icon, StateShape } from '../ui';
import { type Absence, type Board, cleanName, type FailingGroup } from './model';

/** The nodes that failed, with in how many tasks, and what to do about all of them at once. */
export function FailingNodes({
  groups,
  chosen,
  operates,
  onChoose,
  onCommand,
}: {
  groups: readonly FailingGroup[];
  chosen: FailingGroup | undefined;
  operates: boolean;
  onChoose: (group: FailingGroup | undefined) => void;
  onCommand: (command: 'retry' | 'skip', group: FailingGroup) => void;
}) {
  const { t } = useI18n();
  if (groups.length === 0) return <p className="board-quiet muted">{t('board.failing.none')}</p>;
  return (
    <ul className="board-failing">
      {groups.map((group) => (
        <li key={group.key} className={group === chosen ? 'board-fail is-chosen' : 'board-fail'}>
          <button
            type="button"
            className="board-fail-name"
            aria-pressed={group === chosen}
            title={group.name}
            onClick={() => onChoose(group === chosen ? undefined : group)}
          >
            <StateShape look="FAILED" />
            <span>
              <bdi className="two-lines">{group.name || t('ui.noName')}</bdi>
              <span className="board-fail-count">{t('board.failedIn', { count: group.failed, of: group.of })}</span>
            </span>
            <span className="board-fail-bar" aria-hidden="true">
              <span style={{ transform: `scaleX(${group.failed / Math.max(1, group.of)})` }} />
            </span>
          </button>
          {operates && (
            <span className="board-fail-do">
              <Button small onClick={() => onCommand('retry', group)}>
                {group.failed === 1 ? t('board.retryOne') : t('board.retryAll', { count: group.failed })}
              </Button>
              <Button small kind="quiet" onClick={() => onCommand('skip', group)}>
                {group.failed === 1 ? t('board.skipOne') : t('board.skipAll', { count: group.failed })}
              </Button>
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

const shownFirst = 6;

// A watch does not tell which of the tasks that are missing were there once: it is asked for. Their pages can be read still.
function useDeleted(project: number, board: Board): ReadonlyMap<number, Task> {
  const ids = [...board.absent.keys()];
  const { data } = useQuery({
    queryKey: ['deleted', project, ids.join()],
    queryFn: ({ signal }) => api.status(project, { ids }, signal),
    enabled: ids.length > 0,
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
  });
  const gone = data?.tasks.filter((task) => task.deleted && board.absent.has(task.id)) ?? [];
  return new Map(gone.map((task) => [task.id, { ...task, name: cleanName(task.name) }]));
}

/** The ids that have no row, and the tasks that something is wrong with. */
export function Verdicts({ board, project }: { board: Board; project: number }) {
  const { t } = useI18n();
  const [all, setAll] = useState(false);
  const problems = board.problems === 0 ? [] : [...board.tasks.values()].filter((i) => i.task.problem);
  const deleted = useDeleted(project, board);
  const said = (id: number, why: Absence) => {
    const task = deleted.get(id);
    if (task) return t('board.absent.deleted', { state: t(`state.${task.state}`) });
    return t(why === 'gone' ? 'board.absent.gone' : 'board.absent.unknown');
  };
  const rows = [
    ...[...board.absent].map(([id, why]) => ({ id, text: said(id, why), name: deleted.get(id)?.name })),
    ...problems.map((i) => ({ id: i.task.id, text: i.task.problem ?? '', name: i.name })),
  ];
  if (rows.length === 0) return null;
  const shown = all ? rows : rows.slice(0, shownFirst);
  return (
    <section className="panel board-side" aria-labelledby="board-verdicts">
      <h2 id="board-verdicts">{t('board.verdicts', { count: rows.length })}</h2>
      <ul className="board-verdicts">
        {shown.map((row) => (
          <li key={row.id}>
            {row.name === undefined ? (
              <span className="mono">{row.id}</span>
            ) : (
              <Link className="mono" to={paths.task(project, row.id)} title={row.name}>
                {row.id}
              </Link>
            )}
            <bdi className="two-lines" title={row.text.slice(0, 1000)}>
              {row.text.slice(0, 300)}
            </bdi>
          </li>
        ))}
      </ul>
      {rows.length > shownFirst && (
        <Button kind="quiet" small aria-expanded={all} onClick={() => setAll(!all)}>
          <Icon name={all ? 'down' : 'right'} size={12} />
          {all ? t('board.fewer') : t('board.more', { count: rows.length - shownFirst })}
        </Button>
      )}
    </section>
  );
}
