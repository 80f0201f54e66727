import { Link } from 'react-router';
import { useI18n } from '../i18n';
import { Empty, Failure, Skeleton } from '../ui';
import { paths } from './paths';
import { useProjects } from './session';
import { useTitle } from './title';

/** The projects that the caller may see. */
export function Projects() {
  const { t, compare } = useI18n();
  const projects = useProjects();
  useTitle(t('app.projects'));
  return (
    <div className="projects">
      <div className="page-head">
        <h1>{t('app.projects')}</h1>
      </div>
      {projects.isError && !projects.data && <Failure error={projects.error} retry={() => void projects.refetch()} />}
      {projects.isPending && <Skeleton />}
      {projects.data?.projects.length === 0 && (
        <Empty title={t('app.noProjects')}>
          <p>{t('app.noProjects.hint')}</p>
        </Empty>
      )}
      {projects.data && projects.data.projects.length > 0 && (
        <ul className="panel">
          {projects.data.projects
            .toSorted((a, b) => compare(a.name, b.name))
            .map((p) => (
              <li key={p.id}>
                <Link to={paths.tasks(p.id)}>
                  <bdi>{p.name}</bdi>
                  <span className="muted">{p.id}</span>
                </Link>
              </li>
            ))}
        </ul>
      )}
    </div>
  );
}
