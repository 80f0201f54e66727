import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { api, type Json, type Task } from '../api';
import { useI18n } from '../i18n';
import { JsonView } from '../node';
import { Button, Empty, Failure, Skeleton, useToast } from '../ui';
import { ParamName } from './ParamName';
import { ParamsEdit } from './ParamsEdit';
import { isGiven } from './params';
import { useLagging } from './useLagging';

/** The variables of a task: what it was given, and what they were set to while it ran. */
export function Params({ project, task }: { project: number; task: Task }) {
  const { t } = useI18n();
  const revision = useLagging(task.run?.revision ?? 0, 1000);
  const query = useQuery({
    queryKey: ['constants', project, task.id, revision],
    queryFn: ({ signal }) => api.constants(project, task.id, signal),
    placeholderData: (old) => old,
  });
  const client = useQueryClient();
  const toast = useToast();
  const [editing, setEditing] = useState(false);
  const edit = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLElement>(null);
  const wasEditing = useRef(false);
  useEffect(() => {
    // Back to where it began.
    if (wasEditing.current && !editing) (edit.current ?? panel.current)?.focus();
    wasEditing.current = editing;
  }, [editing]);
  const close = () => setEditing(false);
  const done = () => {
    setEditing(false);
    toast(t('task.params.changed'));
    void client.invalidateQueries({ queryKey: ['constants', project, task.id] });
  };
  if (!query.data) {
    return query.isError ? <Failure error={query.error} retry={() => void query.refetch()} /> : <Skeleton />;
  }
  const { constants } = query.data;
  const changeable = constants.some((c) => c.changeable);
  if (constants.length === 0) return <Empty title={t('task.params.none')} />;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keys
    <section ref={panel} className="params panel" aria-label={t('task.tab.params')} tabIndex={0}>
      {query.isError && <Failure error={query.error} retry={() => void query.refetch()} />}
      {changeable && !editing && (
        <div className="params-bar">
          <Button small ref={edit} onClick={() => setEditing(true)}>
            {t('task.params.change')}
          </Button>
        </div>
      )}
      {!changeable && !editing && task.state === 'RUNNING' && task.run?.actions.includes('pause') && (
        <p className="params-bar muted">{t('task.params.when')}</p>
      )}
      {/* Where there is no room for columns, each value says itself which it is. */}
      <div className="params-row params-head" aria-hidden="true">
        <span>{t('task.params.key')}</span>
        <span>{t('task.params.given')}</span>
        <span>{t('task.params.set')}</span>
      </div>
      {editing ? (
        <ParamsEdit project={project} id={task.id} constants={constants} onClose={close} onDone={done} />
      ) : (
        <dl className="params-list">
          {constants.map((c) => (
            <div key={c.key} className="params-row">
              <dt>
                <ParamName constant={c} />
              </dt>
              <Value label={t('task.params.given')} value={isGiven(c) ? c.value : undefined} />
              <Value label={t('task.params.set')} value={c.current} />
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}

// Without a value there is an empty place in its column.
function Value({ label, value }: { label: string; value: Json | undefined }) {
  if (value === undefined) return <dd className="params-none" />;
  return (
    <dd>
      <span className="params-label muted">{label}</span>
      <JsonView value={value} />
    </dd>
  );
}
