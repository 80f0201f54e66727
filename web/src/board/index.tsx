import { useEffect, useMemo } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { useProjectId } from '../app/session';
import { Begin } from './Begin';
import { askedIds, boardPath, longestAddress, packIds, unpackIds } from './ids';
import { Screen } from './Screen';
import './board.css';

/** The status board: how many tasks stand, all at once. */
export function Component() {
  const project = useProjectId();
  const { search } = useLocation();
  const { ids: asked, local, lost } = useMemo(() => askedIds(new URLSearchParams(search)), [search]);
  // The same list under another address is the same list: it is followed on.
  const packed = packIds(asked);
  const ids = useMemo(() => unpackIds(packed), [packed]);
  const navigate = useNavigate();
  const long = search.length > longestAddress && ids.length > 0;
  useEffect(() => {
    // It came here from within the app; from elsewhere it might not get through.
    if (long) void navigate(boardPath(project, ids), { replace: true });
  }, [long, navigate, project, ids]);
  if (ids.length === 0) return <Begin project={project} lost={lost} />;
  return <Screen key={`${project}/${packed}`} project={project} ids={ids} local={local} />;
}
