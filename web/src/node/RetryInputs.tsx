import { type FormEvent, type ReactNode, useId, useRef, useState } from 'react';
import type { Json } from '../api';
import { useI18n } from '../i18n';
import { AskNote, Button, Dialog, ErrorBox, Field, Icon, IconButton, ReasonField, TextInput } from '../ui';
import { Changes } from './Changes';
import { changes, fieldsOf, type InputFault, type InputField, readFields, turn } from './inputs';
import { Plain } from './Text';
import { faultText, ValueField } from './ValueField';

/** Edits the inputs of a node, shows what that changes, and runs it again with them. */
export function RetryInputs({
  name,
  note,
  inputs,
  busy,
  error,
  onClose,
  onConfirm,
}: {
  name: string;
  note: ReactNode;
  inputs: { [key: string]: Json };
  busy: boolean;
  error: unknown;
  onClose: () => void;
  onConfirm: (inputs: { [key: string]: Json }, reason: string | undefined) => void;
}) {
  const { t, tx } = useI18n();
  const form = useId();
  const [before] = useState(inputs); // as they were when it was opened, whatever becomes of the node
  const [fields, setFields] = useState(() => fieldsOf(before));
  const [faults, setFaults] = useState<ReadonlyMap<number, InputFault>>(new Map());
  const [after, setAfter] = useState<{ [key: string]: Json }>();
  const [reason, setReason] = useState('');
  const next = useRef(fields.length);
  const box = useRef<HTMLFormElement>(null);

  const change = (field: InputField) => {
    setFields((all) => all.map((f) => (f.id === field.id ? field : f)));
    setFaults((all) => new Map([...all].filter(([id]) => id !== field.id)));
  };
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (after) {
      if (!busy) onConfirm(after, reason.trim() || undefined);
      return;
    }
    const read = readFields(fields);
    setFaults(read.faults);
    if (read.inputs) setAfter(read.inputs);
    else {
      // The first that is wrong is the one to go on with.
      requestAnimationFrame(() => box.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus());
    }
  };

  return (
    <Dialog
      wide
      title={after ? t('node.inputs.compare') : t('node.retryWith')}
      onClose={onClose}
      foot={
        <>
          {after && (
            <Button onClick={() => setAfter(undefined)} disabled={busy}>
              {t('node.inputs.back')}
            </Button>
          )}
          <Button onClick={onClose}>{t('ui.cancel')}</Button>
          <Button type="submit" form={form} kind="primary" busy={busy}>
            {after ? t('do.retry') : t('node.inputs.show')}
          </Button>
        </>
      }
    >
      <form id={form} ref={box} onSubmit={submit} className="ask" noValidate>
        <AskNote>{note}</AskNote>
        <p className="muted">
          {tx(after ? 'node.ask.retryWith' : 'node.inputs.about', {
            name: (
              <b>
                <Plain text={name} />
              </b>
            ),
          })}
        </p>
        {after ? (
          <>
            <Changes list={changes(before, after)} same={t('node.inputs.same')} />
            <ReasonField autoFocus value={reason} onChange={setReason} />
            {error !== undefined && error !== null && <ErrorBox error={error} />}
          </>
        ) : (
          <>
            {fields.map((field) => {
              const fault = faults.get(field.id);
              const keyFault = fault === 'noKey' || fault === 'twice';
              return (
                <fieldset key={field.id} className="input-field">
                  <legend className="hidden">{field.key || t('node.inputs.key')}</legend>
                  <div className="input-head">
                    <Field label={t('node.inputs.key')} error={keyFault ? faultText(fault, t) : undefined}>
                      {(props) => (
                        <TextInput
                          {...props}
                          className="mono"
                          value={field.key}
                          onChange={(e) => change({ ...field, key: e.target.value })}
                        />
                      )}
                    </Field>
                    <Button
                      small
                      aria-pressed={field.json}
                      title={t('node.inputs.asJson')}
                      onClick={() => change(turn(field))}
                    >
                      JSON
                    </Button>
                    <IconButton
                      small
                      label={t('node.inputs.remove', { key: field.key })}
                      onClick={() => setFields((all) => all.filter((f) => f.id !== field.id))}
                    >
                      <Icon name="close" size={14} />
                    </IconButton>
                  </div>
                  <ValueField
                    field={field}
                    fault={keyFault ? undefined : fault}
                    onChange={(text) => change({ ...field, text })}
                  />
                </fieldset>
              );
            })}
            <div>
              <Button
                small
                onClick={() => setFields((all) => [...all, { id: next.current++, key: '', text: '', json: false }])}
              >
                <Icon name="plus" size={14} />
                {t('node.inputs.add')}
              </Button>
            </div>
          </>
        )}
      </form>
    </Dialog>
  );
}
