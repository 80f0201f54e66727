import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api, type Command, Intent, type Json, type NodeCommand, type NodeDetail, type Task } from '../api';
import { type I18n, useI18n } from '../i18n';
import { Ask, Button, Field, Icon, TextArea, useCopy, useKeys, useToast } from '../ui';
import { isObject } from './attempts';
import { callbackCurl } from './ids';
import { parseJson } from './inputs';
import { RetryInputs } from './RetryInputs';
import { Plain } from './Text';

const dangerous: readonly NodeCommand[] = ['force-fail'];
// What gets a node on that does not go on by itself.
const helpful: readonly NodeCommand[] = [
  'retry',
  'retry-subprocess',
  'skip-branch',
  'resume-node',
  'resume-subprocess',
];
const order: readonly NodeCommand[] = [
  'retry',
  'retry-subprocess',
  'skip',
  'skip-branch',
  'callback',
  'resume-node',
  'resume-subprocess',
  'pause-node',
  'pause-subprocess',
  'force-fail',
];

type Open = NodeCommand | 'retry-with';

/** The commands that the server would accept for a node now. Each asks first, for a reason too. */
export function NodeActions({
  project,
  task,
  detail,
  name,
}: {
  project: number;
  task: Task;
  detail: NodeDetail;
  name: string;
}) {
  const i18n = useI18n();
  const { t } = i18n;
  const [open, setOpen] = useState<Open>();
  // How the node stood then: it is asked about that.
  const [seen, setSeen] = useState(detail);
  const [intent, setIntent] = useState(() => new Intent());
  const toast = useToast();
  const client = useQueryClient();
  const run = useMutation({
    // What failed again, as the note says then, is retried again.
    mutationFn: (command: Command) => api.do(project, task.id, command, intent, detail.version),
    onSuccess: (_, command) => {
      setOpen(undefined);
      toast(t('node.done', { action: t(`do.${command.command}`), name: short(name, i18n) }));
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['node', project, task.id] }),
  });
  const actions = order.filter((a) => detail.actions?.includes(a));
  const first = actions.find((a) => helpful.includes(a) || (a === 'callback' && detail.why?.code === 'callback'));
  const ask = (command: Open) => {
    run.reset();
    setSeen(detail);
    setIntent(new Intent());
    setOpen(command);
  };
  const may = (command: NodeCommand) => actions.includes(command);
  useKeys(t('node.title'), [
    ...(may('retry') ? [{ keys: 'R', label: t('do.retry'), run: () => ask('retry') }] : []),
    ...(may('skip') ? [{ keys: 'S', label: t('do.skip'), run: () => ask('skip') }] : []),
  ]);

  const templates = isObject(detail.templates) ? detail.templates : isObject(detail.inputs) ? detail.inputs : {};
  const close = () => {
    if (!run.isPending) setOpen(undefined);
  };
  const asked = open === 'retry-with' ? 'retry' : open;
  const gone = detail.version !== seen.version || detail.state !== seen.state;
  const said = () => {
    if (!asked || !gone || run.isPending || run.isSuccess) return undefined;
    if (!may(asked)) return 'node.meanwhile.not';
    return asked === 'callback' && detail.version !== seen.version ? 'node.meanwhile.attempt' : 'node.meanwhile';
  };
  const word = said();
  const note = word && t(word, { state: t(`state.${detail.state}`) });
  const send = (command: Omit<Command, 'node'>) => run.mutate({ ...command, node: detail.id });
  return (
    <>
      {actions.length > 0 && (
        <div className="node-actions">
          {actions.map((action) => (
            <Button
              key={action}
              small
              kind={action === first ? 'primary' : 'plain'}
              aria-keyshortcuts={action === 'retry' ? 'R' : action === 'skip' ? 'S' : undefined}
              onClick={() => ask(action)}
            >
              {t(`do.${action}`)}
            </Button>
          ))}
          {may('retry') && detail.plugin && (
            <Button small onClick={() => ask('retry-with')}>
              {t('node.retryWith')}
            </Button>
          )}
        </div>
      )}
      {open === 'retry-with' && (
        <RetryInputs
          name={name}
          note={note}
          inputs={templates}
          busy={run.isPending}
          error={run.error}
          onClose={close}
          onConfirm={(inputs, reason) => send({ command: 'retry', inputs, reason })}
        />
      )}
      {open === 'callback' && (
        <Callback
          name={name}
          note={note}
          busy={run.isPending}
          error={run.error}
          onClose={close}
          curl={(data) => callbackCurl(project, task.id, { node: detail.id, version: seen.version, data })}
          onConfirm={(rest) => send({ command: 'callback', version: seen.version, ...rest })}
        />
      )}
      {open === 'skip-branch' && (
        <Branches
          name={name}
          note={note}
          detail={detail}
          busy={run.isPending}
          error={run.error}
          onClose={close}
          onConfirm={(rest) => send({ command: 'skip-branch', ...rest })}
        />
      )}
      {open && open !== 'retry-with' && open !== 'callback' && open !== 'skip-branch' && (
        <Ask
          title={t(`do.${open}`)}
          note={note}
          action={t(`do.${open}`)}
          danger={dangerous.includes(open)}
          busy={run.isPending}
          error={run.error}
          onClose={close}
          onConfirm={(reason) => send({ command: open, reason })}
        >
          <Question command={open} name={name} />
        </Ask>
      )}
    </>
  );
}

function short(name: string, { t }: I18n): string {
  if (name === '') return t('ui.noName');
  return name.length > 80 ? `${name.slice(0, 80)}…` : name;
}

function Question({ command, name }: { command: NodeCommand; name: string }) {
  const i18n = useI18n();
  return (
    <p>
      {i18n.tx(`node.ask.${command}`, {
        name: (
          <b>
            <Plain text={name.length > 300 ? `${name.slice(0, 300)}…` : name || i18n.t('ui.noName')} />
          </b>
        ),
      })}
    </p>
  );
}

interface Asking<T> {
  name: string;
  note: ReactNode;
  busy: boolean;
  error: unknown;
  onClose: () => void;
  onConfirm: (rest: T) => void;
}

function Callback({
  name,
  note,
  busy,
  error,
  curl,
  onClose,
  onConfirm,
}: Asking<Pick<Command, 'data' | 'reason'>> & {
  /** The same as a command line, for the program that is waited for. */
  curl: (data: Json | undefined) => string;
}) {
  const { t } = useI18n();
  const [text, setText] = useState('{}');
  const [wrong, setWrong] = useState<string>();
  const copy = useCopy();
  // Gives what stands in the box: nothing where it is empty, or says what is wrong with it.
  const read = (take: (data: Json | undefined) => void) => {
    if (text.trim() === '') return take(undefined);
    const read = parseJson(text);
    if ('wrong' in read) setWrong(read.wrong);
    else take(read.value);
  };
  return (
    <Ask
      title={t('do.callback')}
      note={note}
      action={t('do.callback')}
      busy={busy}
      error={error}
      onClose={onClose}
      onConfirm={(reason) => read((data) => onConfirm(data === undefined ? { reason } : { data, reason }))}
    >
      <Question command="callback" name={name} />
      <Field
        label={t('node.callback.data')}
        hint={t('node.callback.hint')}
        error={wrong === undefined ? undefined : t('node.inputs.noJson', { wrong })}
      >
        {(props) => (
          <TextArea
            {...props}
            data-focus=""
            className="mono"
            rows={5}
            value={text}
            onChange={(e) => {
              setText(e.target.value);
              setWrong(undefined);
            }}
          />
        )}
      </Field>
      <div>
        <Button kind="quiet" small onClick={() => read((data) => void copy(curl(data)))}>
          <Icon name="copy" size={14} />
          {t('node.curl')}
        </Button>
      </div>
    </Ask>
  );
}

function Branches({
  name,
  note,
  detail,
  busy,
  error,
  onClose,
  onConfirm,
}: Asking<Pick<Command, 'branches' | 'reason'>> & { detail: NodeDetail }) {
  const { t } = useI18n();
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [missing, setMissing] = useState(false);
  const one = detail.kind === 'ExclusiveGateway';
  const choose = (flow: string) => {
    setMissing(false);
    setChosen((all) => {
      if (one) return [flow];
      return all.includes(flow) ? all.filter((f) => f !== flow) : [...all, flow];
    });
  };
  return (
    <Ask
      title={t('do.skip-branch')}
      note={note}
      action={t('do.skip-branch')}
      busy={busy}
      error={error}
      onClose={onClose}
      onConfirm={(reason) => {
        if (chosen.length === 0) setMissing(true);
        else onConfirm({ branches: [...chosen], reason });
      }}
    >
      <Question command="skip-branch" name={name} />
      <fieldset className="branch-choice">
        <legend>{t(one ? 'node.branch.one' : 'node.branch.some')}</legend>
        {detail.branches?.map((branch) => (
          <label key={branch.flow} className="check">
            <input
              type={one ? 'radio' : 'checkbox'}
              name={one ? 'branch' : undefined}
              checked={chosen.includes(branch.flow)}
              onChange={() => choose(branch.flow)}
            />
            <span>
              <Plain text={branch.name || t('ui.noName')} />{' '}
              <code className="muted">
                {branch.default ? t('node.branch.default') : <Plain text={(branch.condition ?? '').slice(0, 300)} />}
              </code>
            </span>
          </label>
        ))}
        {missing && (
          <p className="field-error" role="alert">
            {t('node.branch.missing')}
          </p>
        )}
      </fieldset>
    </Ask>
  );
}
