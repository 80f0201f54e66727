import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { api, Intent, type Json, type TaskConstant } from '../api';
import { useI18n } from '../i18n';
import { Changes, faultText, type InputFault, JsonView, turn, ValueField, ValueLabel } from '../node';
import { Button, ErrorBox, Field, ReasonField, TextInput, useKeys } from '../ui';
import { plainName } from './model';
import { ParamName } from './ParamName';
import { changedMeanwhile, type Draft, draftsOf, isGiven, newValues, paramChanges } from './params';

/** Gives variables of a task other values: they are edited where they stand, then compared, then sent with a reason. */
export function ParamsEdit({
  project,
  id,
  constants,
  onClose,
  onDone,
}: {
  project: number;
  id: number;
  /** As they stand now, which may change while they are edited. */
  constants: readonly TaskConstant[];
  onClose: () => void;
  onDone: () => void;
}) {
  const { t } = useI18n();
  const [opened] = useState(constants);
  const [began] = useState(() => draftsOf(opened));
  const [drafts, setDrafts] = useState(began);
  const [faults, setFaults] = useState<ReadonlyMap<number, InputFault>>(new Map());
  const [values, setValues] = useState<{ [key: string]: Json }>();
  const [reason, setReason] = useState('');
  const [intent] = useState(() => new Intent());
  const form = useRef<HTMLFormElement>(null);
  const comparing = values !== undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each step begins at its first field
  useEffect(() => form.current?.querySelector<HTMLElement>('input, textarea')?.focus(), [comparing]);
  const send = useMutation({
    mutationFn: (constants: { [key: string]: Json }) =>
      api.changeTask(project, id, { constants, reason: reason.trim() || undefined }, intent),
    onSuccess: onDone,
  });

  const change = (draft: Draft) => {
    setDrafts((all) => all.map((d) => (d.id === draft.id ? draft : d)));
    setFaults((all) => new Map([...all].filter(([at]) => at !== draft.id)));
  };
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (values) {
      if (!send.isPending && Object.keys(values).length > 0) send.mutate(values);
      return;
    }
    const read = newValues(drafts, began, constants);
    setFaults(read.faults);
    if (read.values) setValues(read.values);
    else requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus());
  };
  const back = () => {
    setValues(undefined);
    send.reset();
  };
  const leave = () => {
    if (send.isPending) return;
    if (values) back();
    else onClose();
  };
  // Also where the focus is on nothing: what was typed is not left with the page.
  useKeys(t('task.tab.params'), [{ keys: 'Escape', label: t('ui.cancel'), last: true, run: leave }]);
  const meanwhile = values ? changedMeanwhile(values, opened, constants) : [];
  const nothing = values !== undefined && Object.keys(values).length === 0;

  return (
    <form
      ref={form}
      className="params-form"
      noValidate
      onSubmit={submit}
      onKeyDown={(e) => {
        if (e.key !== 'Escape') return;
        e.preventDefault();
        e.stopPropagation();
        leave();
      }}
    >
      {values ? (
        <div className="params-compare">
          <h2>{t('node.inputs.compare')}</h2>
          {meanwhile.length > 0 && (
            <p className="params-meanwhile" role="status">
              {t('task.params.meanwhile', { keys: meanwhile.map((key) => plainName(key, 120)).join(', ') })}
            </p>
          )}
          <Changes
            list={paramChanges(values, drafts, constants, t('task.params.newSecret'))}
            same={t('task.params.same')}
          />
          {!nothing && <ReasonField value={reason} onChange={setReason} />}
          {send.error && <ErrorBox error={send.error} />}
        </div>
      ) : (
        <div className="params-list">
          {opened.map((c, at) => {
            const draft = drafts.find((d) => d.id === at);
            return (
              <div key={c.key} className="params-row">
                <div>
                  <ParamName constant={c} />
                </div>
                {draft ? (
                  <Value draft={draft} fault={faults.get(at)} onChange={change} />
                ) : (
                  <div>{isGiven(c) && <JsonView value={c.value} />}</div>
                )}
                <div>{c.current !== undefined && <JsonView value={c.current} />}</div>
              </div>
            );
          })}
        </div>
      )}
      <div className="params-foot">
        {values && (
          <Button onClick={back} disabled={send.isPending}>
            {t('task.params.back')}
          </Button>
        )}
        <Button onClick={onClose} disabled={send.isPending}>
          {t('ui.cancel')}
        </Button>
        <Button type="submit" kind="primary" busy={send.isPending} aria-disabled={nothing || undefined}>
          {values ? t('task.params.save') : t('node.inputs.show')}
        </Button>
      </div>
    </form>
  );
}

function Value({
  draft,
  fault,
  onChange,
}: {
  draft: Draft;
  fault: InputFault | undefined;
  onChange: (draft: Draft) => void;
}) {
  const { t } = useI18n();
  const change = (text: string) => onChange({ ...draft, text });
  if (draft.secret) {
    return (
      <Field label={<ValueLabel of={draft.key} />} hint={t('task.params.keep')} error={faultText(fault, t)}>
        {(props) => (
          <TextInput
            {...props}
            type="password"
            autoComplete="new-password"
            value={draft.text}
            onChange={(e) => change(e.target.value)}
          />
        )}
      </Field>
    );
  }
  return (
    <div className="params-value">
      <ValueField field={draft} fault={fault} onChange={change} />
      <Button
        small
        aria-pressed={draft.json}
        aria-label={t('task.params.asJson', { key: draft.key })}
        title={t('node.inputs.asJson')}
        onClick={() => onChange({ ...draft, ...turn(draft) })}
      >
        JSON
      </Button>
    </div>
  );
}
