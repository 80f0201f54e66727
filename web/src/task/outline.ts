import { isActivity, isSubprocess, type States, type Tree } from './model';

/** A line of the outline. */
export interface Row {
  index: number;
  level: number;
  /** Only a subprocess can be open or closed. */
  open: boolean | undefined;
  size: number;
  position: number;
}

/** Above so many nodes subprocesses begin closed. */
export const openUpTo = 200;

/** The subprocesses that begin closed. */
export function closedAtFirst(tree: Tree): ReadonlySet<number> {
  if (tree.order.length <= openUpTo) return new Set();
  return new Set([...tree.children.keys()].filter((index) => index > 0));
}

/** The lines of the outline: activities and subprocesses, other nodes only when they FAILED. */
export function outlineRows(tree: Tree, states: States, closed: ReadonlySet<number>): Row[] {
  const rows: Row[] = [];
  const stack: { members: readonly number[]; at: number; level: number }[] = [];
  const enter = (parent: number, level: number) => {
    const members = (tree.children.get(parent) ?? []).filter((index) => {
      const node = tree.node.get(index);
      return node && (isSubprocess(node) || isActivity(node) || states.get(index)?.state === 'FAILED');
    });
    stack.push({ members, at: 0, level });
  };
  enter(0, 1);
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const index = top.members[top.at++];
    if (index === undefined) {
      stack.pop();
      continue;
    }
    const inner = tree.children.has(index);
    const open = inner ? !closed.has(index) : undefined;
    rows.push({ index, level: top.level, open, size: top.members.length, position: top.at });
    if (open) enter(index, top.level + 1);
  }
  return rows;
}
