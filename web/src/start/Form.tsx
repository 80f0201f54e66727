import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useMemo, useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import { ApiError, api, type FlowDetail, Intent, type Json, type ProjectDetail } from '../api';
import { paths } from '../app/paths';
import { useI18n } from '../i18n';
import { Button, Checkbox, ErrorBox, Failure, Field, Skeleton, TextInput, useToast } from '../ui';
import { type FaultKind, faultsOf, fieldsOf, nameFor, valuesOf } from './form';
import { Input } from './Input';

/** The form that makes a task of a flow. */
export function Form({ project, flow, onBack }: { project: ProjectDetail; flow: number; onBack: () => void }) {
  const { t } = useI18n();
  const detail = useQuery({
    queryKey: ['flow', project.id, flow],
    queryFn: ({ signal }) => api.flow(project.id, flow, signal),
    // What is being filled in must not change under the hands.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  return (
    <>
      <Button kind="quiet" small onClick={onBack}>
        ← {t('start.other')}
      </Button>
      {detail.isPending && <Skeleton />}
      {detail.isError && <Failure error={detail.error} admins={project.admins} retry={() => void detail.refetch()} />}
      {detail.data && <Filled project={project.id} flow={detail.data} />}
    </>
  );
}

function Filled({ project, flow }: { project: number; flow: FlowDetail }) {
  const { t } = useI18n();
  const navigate = useNavigate();
  const toast = useToast();
  const form = useRef<HTMLFormElement>(null);
  const fields = useMemo(() => fieldsOf(flow), [flow]);
  const [name, setName] = useState(() => nameFor(flow.name, new Date()));
  const [filled, setFilled] = useState<ReadonlyMap<string, string>>(new Map());
  const [schemes, setSchemes] = useState<readonly string[]>([]);
  const [later, setLater] = useState(false);
  const [intent] = useState(() => new Intent());
  const [faults, setFaults] = useState<ReadonlyMap<string, string>>(new Map());

  const create = useMutation({
    mutationFn: (constants: Record<string, Json>) =>
      api.createTask(
        project,
        {
          name: name.trim(),
          flow: flow.id,
          constants,
          schemes: schemes.length > 0 ? [...schemes] : undefined,
          start: !later,
        },
        intent,
      ),
    onSuccess: (task) => {
      toast(t(later ? 'start.created' : 'start.started', { name: task.name }));
      void navigate(paths.task(project, task.id));
    },
    onError: (error) => {
      if (error instanceof ApiError) tell(faultsOf(error, fields));
    },
  });

  const tell = (found: ReadonlyMap<string, string>) => {
    setFaults(found);
    if (found.size > 0) requestAnimationFrame(() => focusFault(form.current));
  };
  const submit = (e: FormEvent) => {
    e.preventDefault();
    const { constants, faults: bad } = valuesOf(fields, filled);
    const found = new Map([...bad].map(([key, kind]) => [key, faultText(kind, key)]));
    if (name.trim() === '') found.set('name', t('start.fault.name'));
    tell(found);
    if (found.size === 0) create.mutate(constants);
  };
  const faultText = (kind: FaultKind, key: string) =>
    t(`start.fault.${kind}`, { pattern: fields.find((f) => f.key === key)?.pattern ?? '' });
  const change = (key: string, value: string) => {
    setFilled((before) => new Map(before).set(key, value));
    setFaults((before) => without(before, key));
  };

  const shown = fields.filter((f) => f.shown);
  const more = fields.filter((f) => !f.shown);
  const inputs = (list: typeof fields) =>
    list.map((field) => (
      <Input
        key={field.key}
        field={field}
        value={filled.get(field.key) ?? field.initial}
        error={faults.get(field.key)}
        onChange={(value) => change(field.key, value)}
      />
    ));
  return (
    <form ref={form} className="panel start-form" onSubmit={submit} noValidate>
      <div>
        <h2>
          <bdi>{flow.name}</bdi> <span className="muted">#{flow.id}</span>
        </h2>
        {flow.description && <p className="muted">{flow.description}</p>}
      </div>
      <Field label={t('start.name')} error={faults.get('name')} required>
        {(field) => (
          <TextInput
            {...field}
            autoFocus
            maxLength={128}
            value={name}
            onChange={(e) => {
              setName(e.target.value);
              setFaults((before) => without(before, 'name'));
            }}
          />
        )}
      </Field>
      {shown.length > 0 && (
        <fieldset>
          <legend>{t('start.variables')}</legend>
          {inputs(shown)}
        </fieldset>
      )}
      {more.length > 0 && (
        <details open={more.some((f) => faults.has(f.key)) || undefined}>
          <summary>{t('start.more', { count: more.length })}</summary>
          {inputs(more)}
        </details>
      )}
      {flow.schemes.length > 0 && (
        <fieldset>
          <legend>{t('start.schemes')}</legend>
          <p className="field-hint">{t('start.schemes.hint')}</p>
          {flow.schemes.map((s) => (
            <div key={s.id}>
              <Checkbox
                label={<bdi>{s.name}</bdi>}
                checked={schemes.includes(s.name)}
                onChange={(e) =>
                  setSchemes(e.target.checked ? [...schemes, s.name] : schemes.filter((n) => n !== s.name))
                }
              />
            </div>
          ))}
        </fieldset>
      )}
      <fieldset>
        <legend>{t('start.when')}</legend>
        {([false, true] as const).map((wait) => (
          <label key={String(wait)} className="check">
            <input type="radio" name="when" checked={later === wait} onChange={() => setLater(wait)} />
            <span>{t(wait ? 'start.later' : 'start.now')}</span>
          </label>
        ))}
      </fieldset>
      {create.error && faults.size === 0 && <ErrorBox error={create.error} />}
      <div className="start-foot">
        <Button type="submit" kind="primary" busy={create.isPending}>
          {t(later ? 'start.create' : 'start.start')}
        </Button>
      </div>
    </form>
  );
}

function without(faults: ReadonlyMap<string, string>, key: string): ReadonlyMap<string, string> {
  if (!faults.has(key)) return faults;
  const rest = new Map(faults);
  rest.delete(key);
  return rest;
}

function focusFault(form: HTMLFormElement | null): void {
  form?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
}
