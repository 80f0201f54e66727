import type { Graph, NodeState, Task } from '../api';
import { useI18n } from '../i18n';
import { Drawer, StateMark } from '../ui';

/** Shows one node of a task. */
export function NodeDrawer({
  graph,
  states,
  index,
  onClose,
}: {
  project: number;
  task: Task;
  graph: Graph;
  states: ReadonlyMap<number, NodeState>;
  index: number;
  onClose: () => void;
  onSelect: (index: number) => void;
}) {
  const { t } = useI18n();
  const node = graph.nodes.find((n) => n.index === index);
  const state = states.get(index);
  return (
    <Drawer title={<bdi>{node?.name || t('ui.noName')}</bdi>} onClose={onClose}>
      <StateMark look={state?.state ?? 'NONE'} />
      {state?.error && <p>{state.error}</p>}
    </Drawer>
  );
}
