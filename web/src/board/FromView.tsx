import { useMutation } from '@tanstack/react-query';
import { useId } from 'react';
import { useNavigate } from 'react-router';
import { api, serverClock } from '../api';
import { useSession } from '../app/session';
import { useI18n } from '../i18n';
import { collectMatching } from '../tasks/bulk';
import { filterOf, parseQuery, type Range, rangeStart, views } from '../tasks/query';
import { useSaved } from '../tasks/saved';
import { Button, ErrorBox } from '../ui';
import { boardPath, mostIds } from './ids';

interface View {
  key: string;
  query: string;
  range: Range;
}

/** Opens the board of the tasks that a view of the list has now: the newest of them, as many as a board shows. */
export function FromView({ project }: { project: number }) {
  const { t } = useI18n();
  const id = useId();
  const me = useSession().data?.user ?? '';
  const saved = useSaved(project);
  const navigate = useNavigate();
  const open = useMutation({ mutationFn: (view: View) => idsOf(project, view, me) });
  // Whoever has gone to another screen meanwhile, or chosen another view, is not taken away.
  const choose = (view: View) =>
    open.mutate(view, {
      onSuccess: (ids) => {
        if (ids.length > 0) void navigate(boardPath(project, ids));
      },
    });
  const all = [
    ...views.map((view) => ({ ...view, label: t(`tasks.view.${view.key}`) })),
    ...saved.views.map((view) => ({ ...view, key: `own ${view.name}`, label: view.name })),
  ];
  return (
    <section className="board-from" aria-labelledby={id}>
      <h2 id={id}>{t('board.views')}</h2>
      <div className="board-from-list">
        {all.map((view) => (
          <Button
            key={view.key}
            small
            busy={open.isPending && open.variables.key === view.key}
            onClick={() => choose(view)}
          >
            <bdi className="two-lines">{view.label}</bdi>
          </Button>
        ))}
      </div>
      <p className="muted" role="status">
        {open.data?.length === 0 && t('board.views.none')}
      </p>
      {open.error && <ErrorBox error={open.error} retry={() => open.variables && choose(open.variables)} />}
    </section>
  );
}

async function idsOf(project: number, { query: text, range }: View, me: string): Promise<number[]> {
  const { query } = parseQuery(text);
  const flows = query.flow === undefined ? [] : (await api.flows(project)).flows;
  const { filter, fault } = filterOf(query, me, new Map(flows.map((f) => [f.id, f.name])));
  if (fault) return [];
  const created_from = rangeStart(range, serverClock.now());
  const { tasks } = await collectMatching(project, { ...filter, created_from }, query, mostIds);
  return tasks.map((task) => task.id);
}
