import { useMemo } from 'react';
import { useLocation } from 'react-router';
import { useProjectId } from '../app/session';
import { useTitle } from '../app/title';
import { useI18n } from '../i18n';
import { Begin } from './Begin';
import { askedIds, packIds } from './ids';
import { Screen } from './Screen';
import './board.css';

/** The status board: how many tasks stand, all at once. */
export function Component() {
  const { t } = useI18n();
  const project = useProjectId();
  const { search } = useLocation();
  const asked = useMemo(() => {
    const params = new URLSearchParams(search);
    return JSON.stringify({ ids: params.get('ids') ?? undefined, set: params.get('set') ?? undefined });
  }, [search]);
  const { ids, local, lost } = useMemo(() => askedIds(new URLSearchParams(JSON.parse(asked))), [asked]);
  useTitle(t('board.title'));
  if (ids.length === 0) return <Begin project={project} lost={lost} />;
  return <Screen key={`${project}/${packIds(ids)}`} project={project} ids={ids} local={local} />;
}
