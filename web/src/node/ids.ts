import { apiURL } from '../api';

/** The id on the wire of a node of a task: the letter n, the task with 15 hex digits and the index with 16. */
export function nodeId(task: number, index: number): string {
  return `n${task.toString(16).padStart(15, '0')}${index.toString(16).padStart(16, '0')}`;
}

/** A command line that asks the API for a node; the token comes from the environment, never from here. */
export function curlOf(project: number, task: number, node: string, loop?: number): string {
  const url = apiURL(`projects/${project}/tasks/${task}/nodes/${encodeURIComponent(node)}`, { loop });
  return `curl -sS -H "Authorization: Bearer $STDOPS_TOKEN" '${url.href.replaceAll("'", '%27')}'`;
}
