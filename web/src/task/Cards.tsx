import type { Node as FlowNode, NodeProps } from '@xyflow/react';
import { createContext, memo, use, useSyncExternalStore } from 'react';
import { useI18n } from '../i18n';
import { Button, Duration, Icon, kindKey, lookClass, StateShape } from '../ui';
import type { Cell } from './cell';
import type { Item } from './fold';
import {
  type Counts,
  countAmong,
  countsOf,
  isEvent,
  isGateway,
  lookOf,
  lookOfCounts,
  plainName,
  type Tree,
} from './model';
import { attemptsOf } from './nodes';
import { type RunStore, useNodeState, useStates } from './store';

export interface GraphPlace {
  tree: Tree;
  store: RunStore;
  cursor: Cell<number | undefined>;
  /** What a filter leaves. */
  shown: Cell<ReadonlySet<number> | undefined>;
  onOpen: (key: number) => void;
  onToggle: (key: number) => void;
}

export const GraphContext = createContext<GraphPlace | undefined>(undefined);

function usePlace(): GraphPlace {
  const place = use(GraphContext);
  if (!place) throw new Error('a card belongs into a graph');
  return place;
}

function useCell<T>(cell: Cell<T>, of: (value: T) => boolean): boolean {
  return useSyncExternalStore(cell.subscribe, () => of(cell.get()));
}

export type ItemNode = FlowNode<{ item: Item }, 'node' | 'many' | 'frame'>;

function classes(...all: (string | false | undefined)[]): string {
  return all.filter(Boolean).join(' ');
}

/** A node: shape, name, how long it takes and which attempt it is. */
export const NodeCard = memo(function NodeCard({ data: { item } }: NodeProps<ItemNode>) {
  const { t, number } = useI18n();
  const { store, cursor } = usePlace();
  const state = useNodeState(store, item.key);
  const here = useCell(cursor, (c) => c === item.key);
  const { node } = item;
  const look = lookOf(state);
  const name = plainName(node.name) || t(kindKey(node.kind));
  const title = `${name}\n${t(kindKey(node.kind))}${node.plugin ? ` · ${node.plugin}` : ''} · ${t(`state.${look}`)}`;
  if (isGateway(node) || isEvent(node)) {
    return (
      <div
        className={classes('mark', isGateway(node) ? 'mark-gateway' : 'mark-event', lookClass(look), here && 'here')}
        title={title}
      >
        <span aria-hidden="true">{signs[node.kind] ?? ''}</span>
        {look !== 'NONE' && look !== 'FINISHED' && (
          <span className="mark-state">
            <StateShape look={look} size={16} />
          </span>
        )}
      </div>
    );
  }
  const attempts = attemptsOf(state);
  return (
    <div className={classes('card', lookClass(look), here && 'here')} title={title}>
      <StateShape look={look} size={16} />
      <div className="card-text">
        <bdi className="card-name two-lines">{name}</bdi>
        {state && (
          <span className="card-under">
            {state.started_at && <Duration from={state.started_at} to={state.finished_at} />}
            {attempts > 1 && <span>{t('task.attempt', { n: number(attempts) })}</span>}
            {state.loop > 1 && <span>{t('task.loop', { n: number(state.loop) })}</span>}
          </span>
        )}
      </div>
    </div>
  );
});

const signs: Record<string, string> = {
  ExclusiveGateway: '×',
  ParallelGateway: '+',
  ConditionalParallelGateway: '◇',
  ConvergeGateway: '=',
  EmptyStartEvent: '▸',
  EmptyEndEvent: '■',
};

/** Whether a state needs a person, or something goes on in it. */
export function isUrgent(look: string): boolean {
  return ['FAILED', 'RUNNING', 'READY', 'SUSPENDED', 'NODE_SUSPENDED'].includes(look);
}

/** How many nodes of an item there are in which state; of a group those of its branches. */
export function countsOfItem(tree: Tree, states: ReturnType<RunStore['states']>, item: Item): Counts | undefined {
  if (item.kind === 'group') return countAmong(tree, states, item.members);
  return countsOf(tree, states).get(item.key);
}

/** A folded subprocess or group, with how many of its nodes are in which state. */
export const ManyCard = memo(function ManyCard({ data: { item } }: NodeProps<ItemNode>) {
  const { t, number } = useI18n();
  const { tree, store, cursor, onToggle } = usePlace();
  const states = useStates(store);
  const here = useCell(cursor, (c) => c === item.key);
  const counts = countsOfItem(tree, states, item);
  const own = item.kind === 'sub' ? states.get(item.key) : undefined;
  const look = own ? lookOf(own) : counts ? lookOfCounts(counts) : 'NONE';
  const name = manyName(item, t, number);
  return (
    <div
      className={classes('card card-many', lookClass(look), here && 'here')}
      title={`${name}\n${t(`state.${look}`)}`}
    >
      <StateShape look={look} size={16} />
      <div className="card-text">
        <bdi className="card-name two-lines">{name}</bdi>
        {counts && (
          <span className="card-under">
            <span>{t('task.progress.short', { done: String(counts.done), total: String(counts.total) })}</span>
            {counts.failed > 0 && <span className="is-failed">{t('task.graph.failed', { count: counts.failed })}</span>}
            {counts.failed === 0 && counts.paused > 0 && (
              <span className="is-suspended">{t('task.graph.paused', { count: counts.paused })}</span>
            )}
            {counts.failed === 0 && counts.running > 0 && (
              <span className="is-running">{t('task.graph.running', { count: counts.running })}</span>
            )}
          </span>
        )}
      </div>
      <Button
        kind="quiet"
        small
        tabIndex={-1}
        className="card-fold nopan"
        aria-label={`${t('task.graph.unfold')}: ${name}`}
        title={t('task.graph.unfold')}
        onClick={(e) => {
          e.stopPropagation();
          onToggle(item.key);
        }}
      >
        <Icon name="plus" size={14} />
      </Button>
    </div>
  );
});

/** The name of an item that stands for many nodes. */
export function manyName(
  item: Item,
  t: ReturnType<typeof useI18n>['t'],
  number: ReturnType<typeof useI18n>['number'],
): string {
  const name = plainName(item.node.name) || t(kindKey(item.node.kind));
  return item.kind === 'group' ? t('task.graph.group', { n: number(item.heads.length), name }) : name;
}

/** The head of an unfolded subprocess; what is around its nodes is drawn on the canvas. */
export const FrameHead = memo(function FrameHead({ data: { item } }: NodeProps<ItemNode>) {
  const { t } = useI18n();
  const { tree, store, onToggle, onOpen } = usePlace();
  const states = useStates(store);
  const own = states.get(item.key);
  const counts = countsOf(tree, states).get(item.key);
  const look = own ? lookOf(own) : counts ? lookOfCounts(counts) : 'NONE';
  const name = plainName(item.node.name) || t('task.kind.sub');
  return (
    <div className="frame-head nopan">
      <Button
        kind="quiet"
        small
        tabIndex={-1}
        aria-label={`${t('task.graph.fold')}: ${name}`}
        title={t('task.graph.fold')}
        onClick={(e) => {
          e.stopPropagation();
          onToggle(item.key);
        }}
      >
        <Icon name="down" size={12} />
      </Button>
      <StateShape look={look} size={14} />
      <button type="button" tabIndex={-1} className="frame-name" title={name} onClick={() => onOpen(item.key)}>
        <bdi>{name}</bdi>
      </button>
      {counts && (
        <span className="muted">
          {t('task.progress.short', { done: String(counts.done), total: String(counts.total) })}
        </span>
      )}
    </div>
  );
});

export const nodeTypes = { node: NodeCard, many: ManyCard, frame: FrameHead };
