import { apiURL, type Json } from '../api';

/** The id on the wire of a node of a task: the letter n, the task with 15 hex digits and the index with 16. */
export function nodeId(task: number, index: number): string {
  return `n${task.toString(16).padStart(15, '0')}${index.toString(16).padStart(16, '0')}`;
}

/** A command line that asks the API for a node; the token comes from the environment, never from here. */
export function curlOf(project: number, task: number, node: string, loop?: number): string {
  const url = apiURL(`projects/${project}/tasks/${task}/nodes/${encodeURIComponent(node)}`, { loop });
  return `curl -sS -H "Authorization: Bearer $STDOPS_TOKEN" '${url.href.replaceAll("'", '%27')}'`;
}

/** A command line that calls a node back, in the attempt of `version` only. */
export function callbackCurl(
  project: number,
  task: number,
  of: { node: string; version?: string; data?: Json },
): string {
  const url = apiURL(`projects/${project}/tasks/${task}/commands`);
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const head = `-H "Authorization: Bearer $STDOPS_TOKEN" -H 'Content-Type: application/json'`;
  return `curl -sS -X POST ${head} ${quoted(url.href)} -d ${quoted(JSON.stringify({ command: 'callback', ...of }))}`;
}
