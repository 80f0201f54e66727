import { memo } from 'react';
import { Link } from 'react-router';
import { type TaskState, useServerNow } from '../api';
import { paths } from '../app/paths';
import { isKey, useI18n } from '../i18n';
import { barOf, Duration, StateMark, Time, taskSentence, VirtualList, type VirtualListHandle } from '../ui';
import { KnownEnd } from '../usual';
import { GroupHead } from './GroupHead';
import type { Group, Line } from './groups';
import type { Board, Item } from './model';

/** The tasks of the board, a line each; on a narrow screen a card each. */
export function Rows({
  project,
  board,
  lines,
  groupName,
  selected,
  active,
  narrow,
  onFold,
  onSelect,
  onActive,
  ref,
}: {
  project: number;
  board: Board;
  lines: readonly Line[];
  groupName: (group: Group) => string;
  selected: ReadonlySet<number>;
  active: number | undefined;
  narrow: boolean;
  onFold: (group: string) => void;
  onSelect: (id: number, on: boolean) => void;
  onActive: (id: number) => void;
  ref: React.Ref<VirtualListHandle>;
}) {
  const { t } = useI18n();
  return (
    <VirtualList
      ref={ref}
      label={t('board.tasks')}
      className="board-rows"
      count={lines.length}
      size={narrow ? 100 : 38}
      overscan={6}
      itemKey={(i) => keyOf(lines[i]) ?? i}
      render={(i) => {
        const line = lines[i];
        if (!line) return null;
        if ('group' in line) {
          return <GroupHead group={line.group} name={groupName(line.group)} folded={line.folded} onFold={onFold} />;
        }
        const item = board.tasks.get(line.place.id);
        return (
          item && (
            <Row
              project={project}
              item={item}
              selected={selected.has(item.task.id)}
              active={active === item.task.id}
              onSelect={onSelect}
              onActive={onActive}
            />
          )
        );
      }}
    />
  );
}

function keyOf(line: Line | undefined): string | number | undefined {
  if (!line) return undefined;
  return 'group' in line ? `group ${line.group.key}` : line.place.id;
}

const Row = memo(function Row({
  project,
  item,
  selected,
  active,
  onSelect,
  onActive,
}: {
  project: number;
  item: Item;
  selected: boolean;
  active: boolean;
  onSelect: (id: number, on: boolean) => void;
  onActive: (id: number) => void;
}) {
  const { t } = useI18n();
  const { task, name } = item;
  const { run } = task;
  const phase = run && `phase.${run.phase}`;
  const shown = name || t('ui.noName');
  return (
    <div
      className={['board-row', active && 'is-active', selected && 'is-selected', task.state === 'FAILED' && 'is-bad']
        .filter(Boolean)
        .join(' ')}
      data-task={task.id}
    >
      <span className="board-row-check">
        <input
          type="checkbox"
          checked={selected}
          aria-label={t('board.select', { name: shown })}
          onChange={(e) => onSelect(task.id, e.target.checked)}
          onFocus={() => onActive(task.id)}
        />
      </span>
      <span className="board-row-state">
        <StateMark look={task.state} />
      </span>
      <span className="board-row-name">
        <Link className="two-lines" to={paths.task(project, task.id)} title={shown} onFocus={() => onActive(task.id)}>
          <bdi>{shown}</bdi>
        </Link>
        <span className="muted mono">{task.id}</span>
      </span>
      <span className={`board-row-phase ${run?.phase === 'waiting_human' ? 'is-waiting' : 'muted'}`}>
        {phase && isKey(phase) ? t(phase) : run?.phase}
      </span>
      <Progress state={task.state} done={run?.progress.done ?? 0} total={run?.progress.total ?? 0} />
      <WhyLine item={item} />
      <span className="board-row-time">
        <Duration from={task.started_at} to={task.finished_at} />
        <KnownEnd project={project} task={task} />
      </span>
      <span className="board-row-changed">
        <Time at={task.updated_at} />
        <span className="board-row-label">{t('board.changed')}</span>
      </span>
    </div>
  );
});

function Progress({ state, done, total }: { state: TaskState; done: number; total: number }) {
  const { t } = useI18n();
  return (
    <span className="board-row-progress">
      <span className="board-bar" aria-hidden="true">
        <span style={{ transform: `scaleX(${total === 0 ? 0 : barOf(state, done, total) / total})` }} />
      </span>
      <span className="board-row-steps" aria-hidden="true">
        {done}/{total}
      </span>
      <span className="hidden">{t('tasks.progress', { done: String(done), total: String(total) })}</span>
    </span>
  );
}

function WhyLine({ item: { task } }: { item: Item }) {
  const i18n = useI18n();
  const now = useServerNow(false);
  const text = task.problem ? task.problem.slice(0, 300) : taskSentence(task, i18n, now);
  return (
    <span className={task.state === 'FAILED' || task.problem ? 'board-row-why is-failed' : 'board-row-why muted'}>
      <bdi className="two-lines" title={text}>
        {text}
      </bdi>
    </span>
  );
}
