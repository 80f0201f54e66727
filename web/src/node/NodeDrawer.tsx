import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useId, useState, useSyncExternalStore } from 'react';
import { api, type Graph, isUnderWay, type NodeDetail, type NodeState, type Task, useServerNow } from '../api';
import { useI18n } from '../i18n';
import {
  CopyButton,
  Drawer,
  Duration,
  ErrorBox,
  Failure,
  Icon,
  kindKey,
  Select,
  Skeleton,
  StateMark,
  span,
  whySentence,
} from '../ui';
import { type AttemptView, aroundOf, attemptsOf, changeMark, lookOf, ownWhy } from './attempts';
import { Branches } from './Branches';
import { Facts } from './Facts';
import { curlOf, nodeId } from './ids';
import { NodeActions } from './NodeActions';
import { NodeLog } from './NodeLog';
import { Region } from './Region';
import { ErrorText, Plain } from './Text';
import { Inputs, Outputs } from './Values';
import './node.css';

export interface NodeDrawerProps {
  project: number;
  task: Task;
  graph: Graph;
  /** How the nodes stand that have a state, by index. */
  states: ReadonlyMap<number, NodeState>;
  /** The node that is shown. */
  index: number;
  onClose: () => void;
  onSelect: (index: number) => void;
}

// States of a task that some process may drive, and how long one counts as alive after it was heard of.
const lease = 10_000;

const narrow = '(max-width: 900px)';
const longestName = 300;

function useNarrow(): boolean {
  return useSyncExternalStore(
    (tell) => {
      const query = matchMedia(narrow);
      query.addEventListener('change', tell);
      return () => query.removeEventListener('change', tell);
    },
    () => matchMedia(narrow).matches,
  );
}

/**
 * All about one node of a task. Where there is room it stands beside the graph as a region of its own, and its place gives
 * it its height; on narrow screens it is a sheet over the page that keeps the focus.
 */
export function NodeDrawer(p: NodeDrawerProps) {
  const { t } = useI18n();
  const node = p.graph.nodes.find((n) => n.index === p.index);
  const name = node?.name || t(kindKey(node?.kind));
  const sheet = useNarrow();
  const title = (
    // Here the name is told whole, and needs no pointer that rests on it.
    <span className="node-name" title={name.length > longestName ? name.slice(0, 1000) : undefined}>
      <Plain text={name.length > longestName ? `${name.slice(0, longestName)}…` : name} />
    </span>
  );
  if (sheet) {
    return (
      <Drawer title={title} onClose={p.onClose}>
        <div className="node-sheet">
          <Content key={p.index} {...p} />
        </div>
      </Drawer>
    );
  }
  return (
    <Region title={title} onClose={p.onClose}>
      <Content key={p.index} {...p} />
    </Region>
  );
}

function Content({ project, task, graph, states, index, onSelect }: NodeDrawerProps) {
  const { t } = useI18n();
  const state = states.get(index);
  const node = graph.nodes.find((n) => n.index === index);
  const id = state?.id ?? nodeId(task.id, index);
  const mark = changeMark(state);
  const [loop, setLoop] = useState<number>();
  const [chosen, setChosen] = useState<number>();
  const loopId = useId();
  // An earlier loop does not change any more.
  const moving = loop === undefined ? `${mark} ${task.run?.actions.join() ?? ''} ${task.state}` : '';
  const query = useQuery({
    queryKey: ['node', project, task.id, id, loop ?? 0, moving],
    queryFn: ({ signal }) => api.node(project, task.id, id, loop, signal),
    placeholderData: keepPreviousData,
    // Another process may drive the task without any change of it.
    refetchInterval: ({ state: { data } }) =>
      loop === undefined && isUnderWay(task) ? (data?.driver?.lost || data?.taken_at ? lease : 6 * lease) : false,
  });
  const detail = query.data;
  if (!detail) {
    if (query.isError) return <Failure error={query.error} retry={() => void query.refetch()} />;
    return <Skeleton />;
  }
  const attempts = attemptsOf(detail);
  const attempt = attempts.find((a) => a.number === chosen) ?? (attempts.at(-1) as AttemptView);
  const name = node?.name || detail.name || t(kindKey(detail.kind));
  const loops = Math.max(state?.loop ?? 0, loop === undefined ? detail.loop : 0);
  const around = aroundOf(graph, index);
  const reached = attempts.some((a) => a.version);
  return (
    <>
      {query.isError && <ErrorBox error={query.error} retry={() => void query.refetch()} />}
      {around.length > 0 && (
        <nav className="node-around" aria-label={t('node.around')}>
          {around.map((a) => (
            <span key={a.index}>
              <button type="button" className="link" onClick={() => onSelect(a.index)}>
                <Plain text={(a.name || t('ui.noName')).slice(0, 120)} />
              </button>
              <Icon name="right" size={12} />
            </span>
          ))}
        </nav>
      )}
      <Standing detail={detail} attempt={attempt} state={state} earlier={loop !== undefined} />
      {attempt.error !== '' && (
        <section className="node-error" aria-label={t('node.error')}>
          <header>
            <h3>{t('node.error')}</h3>
            <CopyButton text={attempt.error} label={t('node.error.copy')} />
          </header>
          <ErrorText text={attempt.error} />
        </section>
      )}
      {attempt.current && loop === undefined && (
        <NodeActions project={project} task={task} detail={detail} name={name} />
      )}
      {(loops > 1 || attempts.length > 1) && (
        <div className="node-choice">
          {loops > 1 && (
            <label htmlFor={loopId}>
              <span>{t('node.loop')}</span>
              <Select
                id={loopId}
                value={loop ?? loops}
                onChange={(e) => {
                  const to = Number(e.target.value);
                  setLoop(to === loops ? undefined : to);
                  setChosen(undefined);
                }}
              >
                {Array.from({ length: loops }, (_, i) => (
                  <option key={i} value={i + 1}>
                    {i + 1 === loops ? t('node.loop.current', { n: loops }) : i + 1}
                  </option>
                ))}
              </Select>
            </label>
          )}
          {attempts.length > 1 && (
            <Attempts
              attempts={attempts}
              chosen={attempt}
              onChoose={(a) => setChosen(a.current ? undefined : a.number)}
            />
          )}
        </div>
      )}
      <Facts
        project={project}
        task={task}
        detail={detail}
        attempt={attempt}
        state={state}
        earlier={loop !== undefined}
        curl={curlOf(project, task.id, detail.id, loop)}
      />
      {detail.branches && detail.branches.length > 0 && (
        <Branches task={task.id} graph={graph} states={states} index={index} detail={detail} onSelect={onSelect} />
      )}
      {detail.plugin && reached && (
        <NodeLog
          project={project}
          task={task.id}
          node={detail.id}
          mark={`${state?.version ?? detail.version ?? ''}`}
          back={loop === undefined ? attempts.length - attempt.number : undefined}
        />
      )}
      {detail.kind !== 'SubProcess' && <Inputs detail={detail} attempt={attempt} />}
      {reached && <Outputs attempt={attempt} task={task} project={project} />}
    </>
  );
}

// The sentence why it stands as it does, and the state.
function Standing({
  detail,
  attempt,
  state,
  earlier,
}: {
  detail: NodeDetail;
  attempt: AttemptView;
  state: NodeState | undefined;
  earlier: boolean;
}) {
  const i18n = useI18n();
  const { t } = i18n;
  const now = useServerNow(detail.why?.until !== undefined);
  const current = attempt.current && !earlier;
  const why = current ? ownWhy(detail) : undefined;
  const sentence = why && whySentence(why, i18n, now);
  const phase = current ? (state?.phase ?? detail.phase) : undefined;
  return (
    <div className="node-standing">
      {sentence && (
        <p className="node-why">
          <Plain text={sentence} />
        </p>
      )}
      <p className="node-state">
        <StateMark look={lookOf({ ...attempt, phase })} />
        {phase && <span className="muted">{t(`nodePhase.${phase}`)}</span>}
        {attempt.ignored && <span className="muted">{t('node.ignored')}</span>}
        {attempt.started && (
          <span className="muted">
            <Span attempt={attempt} />
          </span>
        )}
      </p>
    </div>
  );
}

function Span({ attempt }: { attempt: AttemptView }) {
  const { t } = useI18n();
  if (!attempt.current && !attempt.finished) return span(attempt.elapsed * 1000, t);
  return <Duration from={attempt.started} to={attempt.finished} />;
}

function Attempts({
  attempts,
  chosen,
  onChoose,
}: {
  attempts: readonly AttemptView[];
  chosen: AttemptView;
  onChoose: (a: AttemptView) => void;
}) {
  const { t } = useI18n();
  const id = useId();
  return (
    <label htmlFor={id}>
      <span>{t('node.attempt')}</span>
      <Select
        id={id}
        value={chosen.number}
        onChange={(e) => {
          const to = attempts.find((a) => a.number === Number(e.target.value));
          if (to) onChoose(to);
        }}
      >
        {attempts.toReversed().map((a) => (
          <option key={a.number} value={a.number}>
            {t(a.current ? 'node.attempt.current' : 'node.attempt.earlier', {
              n: a.number,
              state: t(`state.${lookOf(a)}`),
            })}
          </option>
        ))}
      </Select>
    </label>
  );
}
