import { createBrowserRouter, Outlet } from 'react-router';
import { Skeleton } from '../ui';
import { Crash, NotFound } from './Crash';
import { ProjectGate } from './ProjectGate';
import { Projects } from './Projects';
import { basename } from './paths';
import { Shell } from './Shell';
import { useForgetting } from './session';
import { useTrail } from './trail';

function Root() {
  useForgetting();
  useTrail();
  return <Outlet />;
}

function Waiting() {
  return (
    <main className="main">
      <Skeleton />
    </main>
  );
}

/** Makes the router. Each area loads when it is opened: it exports its screen as Component. */
export function makeRouter() {
  return createBrowserRouter(
    [
      {
        Component: Root,
        ErrorBoundary: Crash,
        HydrateFallback: Waiting,
        children: [
          { path: 'login/:link?', lazy: () => import('../signin') },
          { path: 'logout', lazy: () => import('../signin/out') },
          {
            Component: Shell,
            children: [
              {
                ErrorBoundary: Crash,
                children: [
                  { index: true, Component: Projects },
                  {
                    Component: ProjectGate,
                    children: [
                      { path: 'taskflow/home/list/:project', lazy: () => import('../tasks') },
                      { path: 'taskflow/execute/:project', lazy: () => import('../task') },
                      { path: 'board/:project', lazy: () => import('../board') },
                      { path: 'start/:project', lazy: () => import('../start') },
                    ],
                  },
                  { path: '*', Component: NotFound },
                ],
              },
            ],
          },
        ],
      },
    ],
    { basename: basename(document.baseURI) },
  );
}
