import type { Task } from '../api';
import type { Tree } from './model';
import type { RunStore } from './store';

export default function Timeline(_: {
  project: number;
  task: Task;
  tree: Tree;
  store: RunStore;
  selected: number | undefined;
  onSelect: (index: number) => void;
}) {
  return null;
}
