import { createContext, useContext } from 'react';
import { Outlet } from 'react-router';
import type { ProjectDetail } from '../api';
import { Failure, Skeleton } from '../ui';
import { NotFound } from './Crash';
import { useProject, useProjectId } from './session';

const Current = createContext<ProjectDetail | undefined>(undefined);

/** Shows a screen of a project once it is known that there is such a project and that the caller may see it. */
export function ProjectGate() {
  const id = useProjectId();
  const project = useProject(id);
  if (id === 0) return <NotFound />;
  if (project.data) {
    return (
      <Current value={project.data}>
        <Outlet />
      </Current>
    );
  }
  if (project.isError) return <Failure page error={project.error} retry={() => void project.refetch()} />;
  return <Skeleton />;
}

/** The project of the screen, with what the caller may do in it. */
export function useCurrentProject(): ProjectDetail {
  const project = useContext(Current);
  if (!project) throw new Error('this screen belongs to no project');
  return project;
}
