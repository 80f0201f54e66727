import { useState } from 'react';
import { Link } from 'react-router';
import { api, type BulkCommand, Intent, type Verdict } from '../api';
import { commandAll, refusedFirst } from '../api/bulk';
import { paths } from '../app/paths';
import { type Key, useI18n } from '../i18n';
import { Ask, Button, Dialog, errorSentence, Icon, Refusal, StateShape, useToast } from '../ui';
import type { Board } from './model';

export type BoardCommand = 'pause' | 'resume' | 'revoke' | 'retry' | 'skip';

/** Something to be done to many tasks, before it is. */
export interface Plan {
  command: BoardCommand;
  /** The name of the node that it is for; several have none. */
  node?: string;
  targets: BulkCommand['targets'];
  /** How many of the tasks that were meant do not take it now. */
  others: number;
}

const titles: Record<BoardCommand, { tasks: Key; node: Key; done: Key }> = {
  pause: { tasks: 'board.ask.pause', node: 'board.ask.pause', done: 'board.done.pause' },
  resume: { tasks: 'board.ask.resume', node: 'board.ask.resume', done: 'board.done.resume' },
  revoke: { tasks: 'board.ask.revoke', node: 'board.ask.revoke', done: 'board.done.revoke' },
  retry: { tasks: 'board.ask.retryFailed', node: 'board.ask.retry', done: 'board.done.retry' },
  skip: { tasks: 'board.ask.skipFailed', node: 'board.ask.skip', done: 'board.done.skip' },
};

const namedTasks = 5;

/** Asks before something is done to many tasks, does it, and tells of each how it went. */
export function Commands({
  project,
  board,
  plan,
  onClose,
}: {
  project: number;
  board: Board;
  plan: Plan;
  onClose: () => void;
}) {
  const { t, tx } = useI18n();
  const toast = useToast();
  const [current, setCurrent] = useState(plan);
  // As they are called now: what is done to them may make them no failed ones.
  const [names] = useState(() => nodeNames(board));
  const [intent] = useState(() => new Intent());
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [results, setResults] = useState<Verdict[]>();
  const { command, targets } = current;
  const count = new Set(targets.map((target) => target.task)).size;

  const run = async (reason: string | undefined) => {
    setBusy(true);
    setError(undefined);
    try {
      const all = await commandAll(
        targets,
        (part) => api.command(project, { command, reason, targets: part }, intent),
        (e) => errorSentence(e, t),
      );
      if (all.every((r) => r.ok)) {
        toast(t(titles[command].done, { count }));
        onClose();
      } else setResults(all);
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };

  if (results) {
    return (
      <Outcome
        project={project}
        board={board}
        names={names}
        command={command}
        results={results}
        onClose={onClose}
        onAgain={(refused) => {
          setCurrent({ ...current, targets: refused, others: 0 });
          setResults(undefined);
        }}
      />
    );
  }
  const title = current.node !== undefined ? titles[command].node : titles[command].tasks;
  const tasks = [...new Set(targets.map((target) => target.task))];
  return (
    <Ask
      key={targets.length}
      title={tx(title, { count, node: <bdi>{current.node?.slice(0, 80) || t('ui.noName')}</bdi> })}
      action={t('board.do', { command: t(`do.${command}`), count })}
      danger={command === 'revoke' || command === 'skip'}
      busy={busy}
      error={error}
      onClose={onClose}
      onConfirm={(reason) => void run(reason)}
    >
      <ul className="board-ask">
        {tasks.slice(0, namedTasks).map((id) => (
          <li key={id}>
            <bdi>{board.tasks.get(id)?.name}</bdi> <span className="muted mono">{id}</span>
          </li>
        ))}
        {tasks.length > namedTasks && (
          <li className="muted">{t('board.more', { count: tasks.length - namedTasks })}</li>
        )}
      </ul>
      {current.others > 0 && <p className="muted">{t('board.ask.others', { count: current.others })}</p>}
      {command === 'revoke' && <p>{t('board.ask.revoke.text')}</p>}
      {command === 'skip' && <p>{t('board.ask.skip.text')}</p>}
    </Ask>
  );
}

function Outcome({
  project,
  board,
  names,
  command,
  results,
  onClose,
  onAgain,
}: {
  project: number;
  board: Board;
  names: ReadonlyMap<string, string>;
  command: BoardCommand;
  results: Verdict[];
  onClose: () => void;
  onAgain: (targets: BulkCommand['targets']) => void;
}) {
  const { t } = useI18n();
  const refused = results.filter((r) => !r.ok);
  // The server names a node by its id, which says nothing to people.
  const said = ({ node, message = '' }: Verdict) => {
    const name = node && names.get(node);
    return (node && name ? message.replaceAll(node, `\u2068${name}\u2069`) : message).slice(0, 500);
  };
  return (
    <Dialog
      title={t('board.outcome', {
        command: t(`do.${command}`),
        done: results.length - refused.length,
        of: results.length,
      })}
      wide
      onClose={onClose}
      foot={
        <>
          <Button onClick={() => onAgain(refused.map(({ task, node }) => (node ? { task, node } : { task })))}>
            <Icon name="refresh" size={14} />
            {t('board.again', { count: refused.length })}
          </Button>
          <Button kind="primary" onClick={onClose}>
            {t('ui.close')}
          </Button>
        </>
      }
    >
      <ul className="board-outcome">
        {refusedFirst(results).map((r) => (
          <li key={`${r.task}/${r.node ?? ''}`}>
            <StateShape look={r.ok ? 'FINISHED' : 'FAILED'} />
            <span>
              <Link to={paths.task(project, r.task)} target="_blank">
                <bdi>{board.tasks.get(r.task)?.name || r.task}</bdi>
              </Link>{' '}
              <span className="muted mono">{r.task}</span>
              {r.ok ? (
                <span className="muted"> · {t('board.ok')}</span>
              ) : (
                <span className="board-refusal">
                  <Refusal code={r.code}>{said(r)}</Refusal>
                </span>
              )}
            </span>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

// The names of the nodes that have failed, by their ids.
function nodeNames(board: Board): Map<string, string> {
  return new Map([...board.failing.values()].flatMap((f) => [...f.tasks.values()].map((id) => [id, f.name] as const)));
}
