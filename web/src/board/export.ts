import type { Task } from '../api';
import type { Item } from './model';

// A cell that begins like a formula is one for spreadsheets.
function cell(value: string | number | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const heads = [
  'id',
  'name',
  'state',
  'phase',
  'done',
  'total',
  'failed_nodes',
  'elapsed_s',
  'created_at',
  'started_at',
  'finished_at',
  'problem',
];

/** Writes tasks as a table of comma separated values. */
export function csv(items: readonly Item[]): string {
  const lines = items.map(({ task, name }) =>
    [
      task.id,
      name,
      task.state,
      task.run?.phase,
      task.run?.progress.done,
      task.run?.progress.total,
      task.run?.failed?.map((n) => n.name).join('; '),
      elapsed(task),
      task.created_at,
      task.started_at,
      task.finished_at,
      task.problem,
    ]
      .map(cell)
      .join(','),
  );
  return `${[heads.join(','), ...lines].join('\r\n')}\r\n`;
}

function elapsed(task: Task): number | undefined {
  return task.started_at === undefined ? undefined : task.elapsed_s;
}

/** How many ids get_tasks_status takes at once. */
const mostInBatch = 50;

/** Gives the command that asks the native API for what a board shows; `base` is where the app is served. */
export function nativeRequest(base: string, project: number, ids: readonly number[]): string {
  const url = new URL(`api/v1/projects/${project}/tasks:status`, base);
  return [
    `curl -sS -X POST '${url}'`,
    `  -H "Authorization: Bearer $STDOPS_TOKEN"`,
    `  -H 'Content-Type: application/json'`,
    `  -d '${JSON.stringify({ ids, run: true })}'`,
  ].join(' \\\n');
}

/** Gives the commands that ask the bk-sops API for it: one for each batch that it takes. */
export function sopsRequest(base: string, project: number, ids: readonly number[]): string {
  const url = new URL(`apigw/get_tasks_status/${project}/`, base);
  const batches: string[] = [];
  for (let i = 0; i < ids.length; i += mostInBatch) {
    const body = { scope: 'project', task_id_list: ids.slice(i, i + mostInBatch), include_children_status: true };
    batches.push(
      [
        `curl -sS -X POST '${url}'`,
        `  -H "X-Bkapi-Authorization: {\\"bk_app_code\\":\\"$APP_CODE\\",\\"bk_app_secret\\":\\"$APP_SECRET\\",\\"bk_username\\":\\"$USER\\"}"`,
        `  -H 'Content-Type: application/json'`,
        `  -d '${JSON.stringify(body)}'`,
      ].join(' \\\n'),
    );
  }
  return batches.join('\n\n');
}
