import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { api, type Flow } from '../api';
import { useCurrentProject } from '../app/ProjectGate';
import { useTitle } from '../app/title';
import { useI18n } from '../i18n';
import { Empty, Failure, NoPermission, Skeleton, TextInput, Time } from '../ui';
import { Form } from './Form';
import './start.css';

const needed = 'flow_create_task';

/** Chooses a flow, then fills in the form that starts a task of it. */
export function Component() {
  const { t } = useI18n();
  const project = useCurrentProject();
  const [search, setSearch] = useSearchParams();
  const flow = Number(search.get('flow') ?? '');
  useTitle(t('start.title'));
  const flows = useQuery({
    queryKey: ['flows', project.id],
    queryFn: ({ signal }) => api.flows(project.id, signal),
    staleTime: 60_000,
  });
  const head = (
    <div className="page-head">
      <h1>{t('start.title')}</h1>
    </div>
  );
  if (!project.permissions.includes(needed)) {
    return (
      <>
        {head}
        <NoPermission error={new Error(t('start.needs', { permission: needed }))} admins={project.admins} />
      </>
    );
  }
  return (
    <div className="start">
      {head}
      {Number.isSafeInteger(flow) && flow > 0 ? (
        <Form key={flow} project={project} flow={flow} onBack={() => setSearch({})} />
      ) : (
        <>
          {flows.isPending && <Skeleton />}
          {flows.isError && !flows.data && (
            <Failure error={flows.error} admins={project.admins} retry={() => void flows.refetch()} />
          )}
          {flows.data && <Choose flows={flows.data.flows} onChoose={(id) => setSearch({ flow: String(id) })} />}
        </>
      )}
    </div>
  );
}

function Choose({ flows, onChoose }: { flows: readonly Flow[]; onChoose: (id: number) => void }) {
  const { t, tx, compare } = useI18n();
  const [wanted, setWanted] = useState('');
  if (flows.length === 0) {
    return (
      <Empty title={t('start.noFlows')}>
        <p>{tx('start.noFlows.hint', { command: <code>stdops flow import</code> })}</p>
      </Empty>
    );
  }
  const lower = wanted.trim().toLowerCase();
  const found = flows
    .filter((f) => `${f.id} ${f.name} ${f.category ?? ''} ${f.description ?? ''}`.toLowerCase().includes(lower))
    .toSorted((a, b) => compare(a.name, b.name));
  return (
    <>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          const only = found.length === 1 ? found[0] : undefined;
          if (only) onChoose(only.id);
        }}
      >
        <TextInput
          type="search"
          data-search
          autoFocus
          aria-label={t('start.search')}
          placeholder={t('start.search')}
          value={wanted}
          onChange={(e) => setWanted(e.target.value)}
        />
      </form>
      <p className="hidden" role="status">
        {t('start.found', { count: found.length })}
      </p>
      {found.length === 0 ? (
        <Empty title={t('start.noneFound')} />
      ) : (
        <ul className="panel flows">
          {found.map((f) => (
            <li key={f.id}>
              <button type="button" onClick={() => onChoose(f.id)}>
                <span className="flows-name">
                  <bdi>{f.name}</bdi>
                  {f.description && <span className="muted two-lines">{f.description}</span>}
                </span>
                <span className="muted flows-side">
                  {f.edited_at && <Time at={f.edited_at} />}
                  <span>#{f.id}</span>
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
