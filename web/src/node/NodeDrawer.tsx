import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, type PointerEvent, useEffect, useId, useRef, useState, useSyncExternalStore } from 'react';
import { Link } from 'react-router';
import { api, type Graph, type NodeDetail, type NodeState, type Task, useServerNow } from '../api';
import { paths } from '../app/paths';
import { useI18n } from '../i18n';
import {
  Button,
  CopyButton,
  Drawer,
  Duration,
  ErrorBox,
  Failure,
  Icon,
  IconButton,
  Select,
  Skeleton,
  StateMark,
  span,
  Time,
  useCopy,
  useKeys,
  whySentence,
} from '../ui';
import { type AttemptView, aroundOf, attemptsOf, changeMark, inputRows, lookOf, takenBranches } from './attempts';
import { curlOf, nodeId } from './ids';
import { equal } from './inputs';
import { copyOf, JsonView } from './JsonView';
import { kindKey } from './kind';
import { NodeActions } from './NodeActions';
import { NodeLog } from './NodeLog';
import { beginning } from './odd';
import { ErrorText, Plain } from './Text';
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

const narrow = '(max-width: 900px)';

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
    <span className="node-name two-lines" title={name.slice(0, 1000)}>
      <Plain text={name.slice(0, 1000)} />
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

const widthKept = 'stdops.node.width';
const least = 360;
const usual = 480;
const widest = 960;

function storedWidth(): number {
  try {
    const width = Number(localStorage.getItem(widthKept));
    return width >= least && width <= widest ? width : usual;
  } catch {
    return usual;
  }
}

function Region({
  title,
  onClose,
  children,
}: {
  title: React.ReactNode;
  onClose: () => void;
  children: React.ReactNode;
}) {
  const { t } = useI18n();
  const heading = useId();
  const ref = useRef<HTMLElement>(null);
  const head = useRef<HTMLHeadingElement>(null);
  const [width, setWidth] = useState(storedWidth);
  const drag = useRef<{ x: number; width: number }>(undefined);
  useKeys(t('node.title'), [{ keys: 'Escape', label: t('node.close'), run: onClose, inText: true }]);
  useEffect(() => {
    const before = document.activeElement;
    const region = ref.current;
    head.current?.focus({ preventScroll: true });
    return () => {
      // Whoever has gone on to something else stays there.
      const now = document.activeElement;
      if (now !== document.body && now !== null && !region?.contains(now)) return;
      if (before instanceof HTMLElement || before instanceof SVGElement) before.focus({ preventScroll: true });
    };
  }, []);
  const resize = (wanted: number) => {
    const next = Math.round(Math.min(widest, innerWidth * 0.7, Math.max(least, wanted)));
    setWidth(next);
    try {
      localStorage.setItem(widthKept, String(next));
    } catch {
      // It holds until the page is closed, then.
    }
  };
  const key = (e: KeyboardEvent) => {
    const step = e.shiftKey ? 96 : 24;
    const to = { ArrowLeft: width + step, ArrowRight: width - step, Home: widest, End: least }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    e.stopPropagation();
    resize(to);
  };
  const move = (e: PointerEvent) => {
    if (drag.current) resize(drag.current.width + drag.current.x - e.clientX);
  };
  return (
    <aside ref={ref} className="node-drawer" aria-labelledby={heading} style={{ width }}>
      <div
        role="separator"
        className="node-edge"
        aria-orientation="vertical"
        aria-label={t('node.resize')}
        aria-valuenow={width}
        aria-valuemin={least}
        aria-valuemax={widest}
        tabIndex={0}
        onKeyDown={key}
        onPointerDown={(e) => {
          drag.current = { x: e.clientX, width };
          e.currentTarget.setPointerCapture(e.pointerId);
          e.preventDefault();
        }}
        onPointerMove={move}
        onPointerUp={() => {
          drag.current = undefined;
        }}
        onPointerCancel={() => {
          drag.current = undefined;
        }}
      />
      <header className="node-head">
        <h2 id={heading} ref={head} tabIndex={-1}>
          {title}
        </h2>
        <IconButton label={t('node.close')} onClick={onClose}>
          <Icon name="close" />
        </IconButton>
      </header>
      <div className="node-body">{children}</div>
    </aside>
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
        <Branches graph={graph} states={states} index={index} detail={detail} onSelect={onSelect} />
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
  const about = detail.why?.node && { ...detail.why.node, name: beginning(detail.why.node.name, 120) };
  const why = current && detail.why ? whySentence({ ...detail.why, node: about }, i18n, now) : undefined;
  const phase = current ? (state?.phase ?? detail.phase) : undefined;
  return (
    <div className="node-standing">
      {why && (
        <p className="node-why">
          <Plain text={why} />
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

function Facts({
  project,
  task,
  detail,
  attempt,
  state,
  earlier,
  curl,
}: {
  project: number;
  task: Task;
  detail: NodeDetail;
  attempt: AttemptView;
  state: NodeState | undefined;
  earlier: boolean;
  curl: string;
}) {
  const { t, number } = useI18n();
  const copy = useCopy();
  const current = attempt.current && !earlier;
  const timing = current ? detail.timing : undefined;
  const started = timing?.started_at ?? attempt.started;
  const finished = timing?.finished_at ?? attempt.finished;
  const queued = timing?.queued_at;
  const due = current ? state?.due_at : undefined;
  return (
    <section className="node-facts" aria-label={t('node.facts')}>
      <dl>
        {detail.kind && (
          <div>
            <dt>{t('node.kind')}</dt>
            <dd title={detail.kind}>{t(kindKey(detail.kind))}</dd>
          </div>
        )}
        {detail.plugin && (
          <div>
            <dt>{t('node.plugin')}</dt>
            <dd>
              <code>
                <Plain text={detail.plugin} />
              </code>{' '}
              {detail.plugin_version && (
                <span className="muted">
                  <Plain text={detail.plugin_version} />
                </span>
              )}
            </dd>
          </div>
        )}
        {queued && (
          <div>
            <dt>{t('node.queued')}</dt>
            <dd>
              <Time at={queued} />
            </dd>
          </div>
        )}
        {started && (
          <div>
            <dt>{t('node.started')}</dt>
            <dd>
              <Time at={started} />
              {queued && (
                <span className="muted">
                  {' '}
                  {t('node.waited')} <Duration from={queued} to={started} />
                </span>
              )}
            </dd>
          </div>
        )}
        {finished && (
          <div>
            <dt>{t('node.finished')}</dt>
            <dd>
              <Time at={finished} />
              {started && (
                <span className="muted">
                  {' '}
                  {t('node.ran')} <Duration from={started} to={finished} />
                </span>
              )}
            </dd>
          </div>
        )}
        {due && !finished && (
          <div>
            <dt>{t('node.due')}</dt>
            <dd>
              <Time at={due} />{' '}
              <span className="muted">
                <Time at={due} relative />
              </span>
            </dd>
          </div>
        )}
        {detail.loop > 1 && (
          <div>
            <dt>{t('node.loop')}</dt>
            <dd>{number(detail.loop)}</dd>
          </div>
        )}
        {detail.auto_retry && (
          <div>
            <dt>{t('node.autoRetry')}</dt>
            <dd>{t('node.autoRetry.of', { n: detail.auto_retry.times, max: detail.auto_retry.max })}</dd>
          </div>
        )}
        {detail.why?.code === 'child' && task.children && task.children.length > 0 && (
          <div>
            <dt>{t('node.children')}</dt>
            <dd className="node-children">
              {task.children.slice(0, 50).map((child) => (
                <Link key={child} to={paths.task(project, child)}>
                  {child}
                </Link>
              ))}
            </dd>
          </div>
        )}
        <div>
          <dt>{t('node.id')}</dt>
          <dd className="node-id">
            <code>{detail.id}</code>
            <CopyButton text={detail.id} label={t('node.id.copy')} />
          </dd>
        </div>
      </dl>
      <Button kind="quiet" small className="node-curl" onClick={() => void copy(curl)}>
        <Icon name="copy" size={14} />
        {t('node.curl')}
      </Button>
    </section>
  );
}

function Branches({
  graph,
  states,
  index,
  detail,
  onSelect,
}: {
  graph: Graph;
  states: ReadonlyMap<number, NodeState>;
  index: number;
  detail: NodeDetail;
  onSelect: (index: number) => void;
}) {
  const { t } = useI18n();
  const taken = takenBranches(graph, states, index);
  const byId = new Map(graph.edges.filter((e) => e.from === index).map((e) => [nodeIdOf(detail, e.to), e.to]));
  return (
    <section className="node-part">
      <h3>{t('node.branches')}</h3>
      <ul className="node-branches">
        {detail.branches?.map((branch) => {
          const to = byId.get(branch.node);
          const went = to !== undefined && taken?.has(to);
          return (
            <li key={branch.flow} className={taken && !went ? 'branch-not' : undefined}>
              <span className="branch-mark">{went && <Icon name="check" size={14} />}</span>
              <span>
                {to === undefined ? (
                  <Plain text={branch.name || t('ui.noName')} />
                ) : (
                  <button type="button" className="link" onClick={() => onSelect(to)}>
                    <Plain text={(branch.name || t('ui.noName')).slice(0, 300)} />
                  </button>
                )}
                {went && <span className="branch-word"> {t('node.branch.taken')}</span>}
                <code className="branch-condition">
                  {branch.default ? t('node.branch.default') : <Plain text={(branch.condition ?? '').slice(0, 2000)} />}
                </code>
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

// The id of another node of the same task.
function nodeIdOf(detail: NodeDetail, index: number): string {
  return nodeId(Number.parseInt(detail.id.slice(1, 16), 16), index);
}

function Inputs({ detail, attempt }: { detail: NodeDetail; attempt: AttemptView }) {
  const { t } = useI18n();
  const rows = inputRows(attempt.current ? detail.templates : undefined, attempt.inputs);
  if (rows.length === 0) {
    return detail.plugin ? (
      <section className="node-part">
        <h3>{t('node.inputs')}</h3>
        <p className="muted">{t('node.inputs.none')}</p>
      </section>
    ) : null;
  }
  const both = rows.some((r) => r.template !== undefined && r.rendered !== undefined && !equal(r.template, r.rendered));
  return (
    <section className="node-part">
      <header>
        <h3>{t('node.inputs')}</h3>
        <CopyButton text={copyOf(attempt.inputs)} label={t('node.inputs.copy')} />
      </header>
      {both && (
        <div className="values-head" aria-hidden="true">
          <span>{t('node.inputs.template')}</span>
          <span>{t('node.inputs.rendered')}</span>
        </div>
      )}
      <dl className="values">
        {rows.map((row) => {
          const two = row.template !== undefined && row.rendered !== undefined && !equal(row.template, row.rendered);
          const one = row.rendered === undefined ? row.template : row.rendered;
          return (
            <div key={row.key} className="value">
              <dt>
                <code>
                  <Plain text={row.key.slice(0, 300)} />
                </code>
                {one !== undefined && (
                  <CopyButton text={copyOf(one)} label={t('node.copyOf', { key: row.key.slice(0, 80) })} />
                )}
              </dt>
              {two ? (
                <>
                  <dd className="value-left">
                    <span className="value-label">{t('node.inputs.template')}</span>
                    <JsonView value={row.template ?? null} />
                  </dd>
                  <dd className="value-right">
                    <span className="value-label">{t('node.inputs.rendered')}</span>
                    <JsonView value={row.rendered ?? null} />
                  </dd>
                </>
              ) : (
                <dd className="value-one">
                  <JsonView value={one ?? null} />
                </dd>
              )}
            </div>
          );
        })}
      </dl>
    </section>
  );
}

function Outputs({ attempt, task, project }: { attempt: AttemptView; task: Task; project: number }) {
  const { t } = useI18n();
  if (attempt.outputs.length === 0) return null;
  const all = Object.fromEntries(attempt.outputs.map((o) => [o.key, o.value]));
  return (
    <section className="node-part">
      <header>
        <h3>{t('node.outputs')}</h3>
        <CopyButton text={copyOf(all)} label={t('node.outputs.copy')} />
      </header>
      <dl className="values">
        {attempt.outputs.map((output) => (
          <div key={output.key} className="value">
            <dt>
              <code>
                <Plain text={output.key.slice(0, 300)} />
              </code>
              {output.name && output.name !== output.key && (
                <span className="muted">
                  <Plain text={output.name.slice(0, 300)} />
                </span>
              )}
              <CopyButton text={copyOf(output.value)} label={t('node.copyOf', { key: output.key.slice(0, 80) })} />
            </dt>
            <dd className="value-one">
              {typeof output.value === 'number' && task.children?.includes(output.value) ? (
                <Link to={paths.task(project, output.value)}>{output.value}</Link>
              ) : (
                <JsonView value={output.value} />
              )}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
