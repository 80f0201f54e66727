import { useMemo } from 'react';
import { ExpectedOfAll } from '../usual';
import type { Board } from './model';

/** When the running tasks of the board may be expected to have ended. */
export function Ending({ project, board }: { project: number; board: Board }) {
  const tasks = useMemo(() => [...board.tasks.values()].map((item) => item.task), [board.tasks]);
  return <ExpectedOfAll project={project} tasks={tasks} />;
}
