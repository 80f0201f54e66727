import { expect, test } from 'vitest';
import type { Task } from '../api';
import { csv, nativeRequest, sopsRequest } from './export';
import type { Item } from './model';

const item = (name: string, task: Partial<Task> = {}): Item => ({
  name,
  folded: name,
  changed: 0,
  task: { id: 1, state: 'FAILED', elapsed_s: 3, created_at: 'c', ...task } as Task,
});

test('a table for spreadsheets, in which no name is a formula', () => {
  const lines = csv([item('a "b", c'), item('=cmd()'), item('-1'), item('发布')]).split('\r\n');
  expect(lines[0]).toMatch(/^id,name,state,phase,done,total,failed_nodes,/);
  expect(lines[1]).toBe('1,"a ""b"", c",FAILED,,,,,,c,,,');
  expect(lines.slice(2, 5).map((l) => l.split(',')[1])).toEqual(["'=cmd()", "'-1", '发布']);
  expect(lines).toHaveLength(6);
  expect(csv([item('a', { started_at: 's' })])).toContain(',3,c,s,');
});

test('the requests are addressed to where the app is served', () => {
  const ids = Array.from({ length: 101 }, (_, i) => i + 1);
  const sops = sopsRequest('https://h/ops/', 7, ids).split('\n\n');
  expect(sops).toHaveLength(3);
  expect(sops[0]).toContain("'https://h/ops/apigw/get_tasks_status/7/'");
  expect(sops.map((s) => JSON.parse(/-d '(.*)'/.exec(s)?.[1] ?? '').task_id_list.length)).toEqual([50, 50, 1]);
  const native = nativeRequest('https://h/ops/', 7, ids);
  expect(native).toContain("'https://h/ops/api/v1/projects/7/tasks:status'");
  expect(JSON.parse(/-d '(.*)'/.exec(native)?.[1] ?? '').ids).toEqual(ids);
});
