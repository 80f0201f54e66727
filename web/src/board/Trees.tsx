import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { api } from '../api';
import { type I18n, useI18n } from '../i18n';
import { Select, shortTree } from '../ui';
import { cleanName } from './model';
import type { Tree } from './trees';

const longest = 48;

/** The names of the flows of a project, by id. They are asked for when somebody wants to read them. */
export function useFlowNames(project: number, wanted: boolean): ReadonlyMap<number, string> {
  const { data } = useQuery({
    queryKey: ['flows', project],
    queryFn: ({ signal }) => api.flows(project, signal),
    select: namesOf,
    enabled: wanted,
    staleTime: 60_000,
  });
  return data ?? none;
}

const none: ReadonlyMap<number, string> = new Map();

function namesOf({ flows }: { flows: { id: number; name: string }[] }): ReadonlyMap<number, string> {
  return new Map(flows.map((f) => [f.id, cleanName(f.name)]));
}

/** Names a tree: by its flow and which tree of it that is, else by a task that has it. */
export function treeName(tree: Pick<Tree, 'tree' | 'flow' | 'name'>, flows: ReadonlyMap<number, string>, t: I18n['t']) {
  const cut = (text: string) => (text.length > longest ? `${text.slice(0, longest)}…` : text);
  const version = shortTree(tree.tree);
  if (tree.flow === undefined) return t('board.tree.own', { name: cut(tree.name) || t('ui.noName'), version });
  const name = flows.get(tree.flow) ?? t('board.tree.flow', { id: String(tree.flow) });
  return t('board.tree.of', { name: cut(name), version });
}

/** Chooses whose tree the grid shows, where its tasks have several. */
export function TreeChoice({
  trees,
  shown,
  flows,
  onChoose,
}: {
  trees: readonly Tree[];
  shown: Tree;
  flows: ReadonlyMap<number, string>;
  onChoose: (tree: string) => void;
}) {
  const { t } = useI18n();
  const id = useId();
  const others = trees.reduce((n, tree) => n + tree.tasks, 0) - shown.tasks;
  return (
    <div className="board-trees">
      <label htmlFor={id}>{t('board.tree')}</label>
      <Select id={id} value={shown.tree} onChange={(e) => onChoose(e.target.value)}>
        {trees.map((tree) => (
          <option key={tree.tree} value={tree.tree}>
            {[
              treeName(tree, flows, t),
              t('board.tree.tasks', { count: tree.tasks }),
              tree.failing > 0 && t('board.tree.failing', { count: tree.failing }),
            ]
              .filter(Boolean)
              .join(' · ')}
          </option>
        ))}
      </Select>
      <span className="muted">{t('board.tree.others', { count: others })}</span>
    </div>
  );
}
