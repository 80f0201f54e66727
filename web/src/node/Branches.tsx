import type { Graph, NodeDetail, NodeState } from '../api';
import { useI18n } from '../i18n';
import { Icon } from '../ui';
import { takenBranches } from './attempts';
import { nodeId } from './ids';
import { Plain } from './Text';

/** The ways out of a gateway, and which were taken. */
export function Branches({
  task,
  graph,
  states,
  index,
  detail,
  onSelect,
}: {
  task: number;
  graph: Graph;
  states: ReadonlyMap<number, NodeState>;
  index: number;
  detail: NodeDetail;
  onSelect: (index: number) => void;
}) {
  const { t } = useI18n();
  const taken = takenBranches(graph, states, index);
  const byId = new Map(graph.edges.filter((e) => e.from === index).map((e) => [nodeId(task, e.to), e.to]));
  return (
    <section className="node-part">
      <h3>{t('node.branches')}</h3>
      <ul className="node-branches">
        {detail.branches?.map((branch) => {
          const to = byId.get(branch.node);
          const went = to !== undefined && taken?.has(to);
          return (
            <li key={branch.flow} className={taken && !went ? 'branch-not' : undefined}>
              <span className="branch-mark">{went && <Icon name="check" size={14} />}</span>
              <span>
                {to === undefined ? (
                  <Plain text={branch.name || t('ui.noName')} />
                ) : (
                  <button type="button" className="link" onClick={() => onSelect(to)}>
                    <Plain text={(branch.name || t('ui.noName')).slice(0, 300)} />
                  </button>
                )}
                {went && <span className="branch-word"> {t('node.branch.taken')}</span>}
                <code className="branch-condition">
                  {branch.default ? t('node.branch.default') : <Plain text={(branch.condition ?? '').slice(0, 2000)} />}
                </code>
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
