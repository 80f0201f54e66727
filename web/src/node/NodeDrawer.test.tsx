import { QueryClientProvider } from '@tanstack/react-query';
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { MemoryRouter } from 'react-router';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Graph, NodeDetail, NodeState, Task } from '../api';
import { makeQueryClient } from '../app/query';
import { I18nProvider } from '../i18n';
import { type Asked, reply, serve } from '../testing/server';
import { Notes } from '../ui';
import { KeyboardListener } from '../ui/keys';
import { NodeDrawer } from './NodeDrawer';

const id = 'n0000000000000020000000000000003';
const at = '2026-05-04T10:00:00Z';
const task = { id: 2, name: 't', project: 1, state: 'FAILED', started_at: at, children: [] } as unknown as Task;
const graph: Graph = {
  tree: 'x',
  nodes: [
    { index: 1, name: 'Around', kind: 'SubProcess', parent: 0 },
    { index: 3, name: 'Copy\u202efiles', kind: 'ServiceActivity', plugin: 'shell_script', parent: 1 },
  ],
  edges: [],
};
const failed: NodeState = {
  index: 3,
  id,
  state: 'FAILED',
  loop: 1,
  retry: 0,
  version: 'v1',
  started_at: at,
  finished_at: at,
};
const detail: NodeDetail = {
  ...failed,
  parent: '',
  name: 'Copy\u202efiles',
  kind: 'ServiceActivity',
  plugin: 'shell_script',
  plugin_version: '1.0',
  elapsed_s: 3,
  error: Array.from({ length: 30 }, (_, i) => `cause ${i}`).join('\n'),
  inputs: { script: 'echo prod', hosts: ['a'] },
  templates: { script: 'echo {{env}}', hosts: ['a'] },
  outputs: [{ key: '_result', value: false }],
  attempts: [],
  actions: ['retry', 'skip'],
  why: { code: 'failed', text: 'failed', node: { index: 3, id, name: 'Copy\u202efiles' } },
};

let asked: Asked[] = [];
let close = async () => {};
let current = detail;
let refuse = false;
let breakOff = false;

beforeEach(async () => {
  current = detail;
  refuse = false;
  breakOff = false;
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener() {}, removeEventListener() {} }));
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe() {}
      unobserve() {}
      disconnect() {}
    },
  );
  const server = await serve((one, res) => {
    if (one.url.includes('/log')) {
      reply(res, { node: id, attempt: 1, attempts: 1, text: '', next: 0, size: 0, complete: true });
    } else if (one.method === 'POST' && breakOff) {
      res.destroy();
    } else if (one.method === 'POST' && refuse) {
      reply(
        res,
        { title: 'Conflict', status: 409, code: 'conflict', detail: 'it runs again already', request_id: 'req-7' },
        409,
      );
    } else if (one.method === 'POST') reply(res, task);
    else reply(res, current);
  });
  asked = server.asked;
  close = server.close;
});

afterEach(async () => {
  vi.unstubAllGlobals();
  await close();
});

const client = () => makeQueryClient();

function show(states: NodeState[] = [failed], more: Partial<Parameters<typeof NodeDrawer>[0]> = {}) {
  const queries = client();
  const view = (nodes: NodeState[]) => (
    <I18nProvider language="en">
      <QueryClientProvider client={queries}>
        <Notes>
          <KeyboardListener />
          <MemoryRouter>
            <button type="button">outside</button>
            <NodeDrawer
              project={1}
              task={task}
              graph={graph}
              states={new Map(nodes.map((n) => [n.index, n]))}
              index={3}
              onClose={() => {}}
              onSelect={() => {}}
              {...more}
            />
          </MemoryRouter>
        </Notes>
      </QueryClientProvider>
    </I18nProvider>
  );
  const shown = render(view(states));
  return { update: (nodes: NodeState[]) => shown.rerender(view(nodes)) };
}

const posts = () => asked.filter((a) => a.method === 'POST').map((a) => a.body);

test('the cause is first, the error is cut at 20 lines, names that turn texts round are shown as such', async () => {
  show();
  expect(await screen.findByText(/cause 19/)).toBeTruthy();
  expect(screen.queryByText(/cause 20/)).toBeNull();
  expect(document.activeElement?.tagName).toBe('H2');
  await userEvent.click(screen.getByRole('button', { name: 'Show 10 more lines' }));
  expect(screen.getByText(/cause 29/)).toBeTruthy();
  // The button is gone; who used it goes on at the text.
  expect(document.activeElement?.textContent).toContain('cause 29');
  expect(document.activeElement).not.toBe(document.body);
  expect(document.querySelector('.node-head')?.textContent).toBe('CopyU+202Efiles');
  // That it failed is said by its state, and by nothing else.
  expect(document.querySelector('.node-standing')?.textContent).toMatch(/^Failed[^F]*$/);
  expect(document.querySelector('.node-standing')?.textContent).not.toContain('files');
  // A template stands beside what became of it; what is the same stands once.
  expect(document.querySelectorAll('.value-left')).toHaveLength(1);
});

test('R asks, with the name and a reason, and a refusal is told with its code and request', async () => {
  show();
  await screen.findByRole('button', { name: 'Retry' });
  refuse = true;
  fireEvent.keyDown(document.body, { key: 'R' });
  const box = await screen.findByRole('dialog', { hidden: true });
  expect(box.textContent).toContain('CopyU+202Efiles');
  await userEvent.type(box.querySelector('input') as HTMLElement, 'the disk was full');
  fireEvent.submit(box.querySelector('form') as HTMLElement);
  await waitFor(() => expect(box.textContent).toContain('it runs again already'));
  expect(box.textContent).toContain('conflict (409)');
  expect(box.textContent).toContain('req-7');
  expect(posts()).toEqual([{ command: 'retry', node: id, reason: 'the disk was full' }]);
  refuse = false;
  fireEvent.submit(box.querySelector('form') as HTMLElement);
  await waitFor(() => expect(screen.queryByRole('dialog', { hidden: true })).toBeNull());
  expect(posts()).toHaveLength(2);
});

test('a command whose answer was lost has one effect, however often it is sent', async () => {
  show();
  const ask = async (reason: string) => {
    await userEvent.click(await screen.findByRole('button', { name: 'Retry' }));
    const box = await screen.findByRole('dialog', { hidden: true });
    await userEvent.type(box.querySelector('input') as HTMLElement, reason);
    return box;
  };
  const send = (box: HTMLElement) => fireEvent.submit(box.querySelector('form') as HTMLElement);
  const keys = () => asked.filter((a) => a.method === 'POST').map((a) => a.key);
  breakOff = true;
  const box = await ask('x');
  send(box);
  await waitFor(() => expect(box.querySelector('.error-box')).toBeTruthy());
  breakOff = false;
  send(box);
  await waitFor(() => expect(screen.queryByRole('dialog', { hidden: true })).toBeNull());
  // Who asks for the same later means it anew.
  send(await ask('x'));
  await waitFor(() => expect(keys()).toHaveLength(3));
  const [first, again, anew] = keys();
  expect(first).toMatch(/^[0-9a-f]{32}$/);
  expect(again).toBe(first);
  expect(anew).not.toBe(first);
});

test('what failed again after its answer was lost is retried again', async () => {
  const { update } = show();
  await userEvent.click(await screen.findByRole('button', { name: 'Retry' }));
  const box = await screen.findByRole('dialog', { hidden: true });
  const send = () => fireEvent.submit(box.querySelector('form') as HTMLElement);
  breakOff = true;
  send();
  await waitFor(() => expect(box.querySelector('.error-box')).toBeTruthy());
  breakOff = false;
  // It was carried out, and came to nothing.
  current = { ...detail, retry: 1, version: 'v2' };
  update([{ ...failed, retry: 1, version: 'v2' }]);
  await waitFor(() => expect(box.querySelector('.ask-note')).toBeTruthy());
  send();
  await waitFor(() => expect(screen.queryByRole('dialog', { hidden: true })).toBeNull());
  const [first, second] = asked.filter((a) => a.method === 'POST');
  expect(second?.body).toEqual(first?.body);
  expect(second?.key).not.toBe(first?.key);
});

test('what asks says that somebody else was faster, and a callback is for the attempt that was seen', async () => {
  const { update } = show();
  await userEvent.click(await screen.findByRole('button', { name: 'Skip' }));
  const box = () => screen.findByRole('dialog', { hidden: true });
  expect((await box()).querySelector('.ask-note')).toBeNull();
  // It was retried elsewhere, and failed again.
  current = { ...detail, retry: 1, version: 'v2' };
  update([{ ...failed, retry: 1, version: 'v2' }]);
  const note = async () => (await box()).querySelector('[role=alert]')?.textContent;
  await waitFor(async () => expect(await note()).toMatch(/has gone on.*“Failed” now: what you send/));
  current = { ...detail, state: 'FINISHED', retry: 1, version: 'v2', actions: [] };
  update([{ ...failed, state: 'FINISHED', retry: 1, version: 'v2' }]);
  await waitFor(async () => expect(await note()).toMatch(/“Finished” now, and this cannot be done/));
  cleanup();

  const waits: NodeDetail = { ...detail, state: 'RUNNING', phase: 'waiting', actions: ['callback'], error: undefined };
  current = waits;
  const second = show([{ ...failed, state: 'RUNNING', finished_at: undefined }]);
  await userEvent.click(await screen.findByRole('button', { name: 'Send callback' }));
  current = { ...waits, retry: 1, version: 'v2' };
  second.update([{ ...failed, state: 'RUNNING', finished_at: undefined, retry: 1, version: 'v2' }]);
  await waitFor(async () => expect(await note()).toMatch(/another attempt of the node has begun.*is refused/));
  fireEvent.submit((await box()).querySelector('form') as HTMLElement);
  await waitFor(() => expect(posts()).toEqual([{ command: 'callback', node: id, data: {}, version: 'v1' }]));
});

test('inputs are changed with a look at what changes, and faults stand at their place', async () => {
  show();
  await userEvent.click(await screen.findByRole('button', { name: 'Retry with changed inputs' }));
  const box = await screen.findByRole('dialog', { hidden: true });
  const form = () => box.querySelector('form') as HTMLElement;
  const [script, hosts] = [...box.querySelectorAll('textarea')] as [HTMLTextAreaElement, HTMLTextAreaElement];
  expect(script.value).toBe('echo {{env}}');
  fireEvent.change(script, { target: { value: 'echo new' } });
  fireEvent.change(hosts, { target: { value: '["a", ' } });
  fireEvent.submit(form());
  expect(hosts.getAttribute('aria-invalid')).toBe('true');
  expect(script.getAttribute('aria-invalid')).toBeNull();
  fireEvent.change(hosts, { target: { value: '["a", "b"]' } });
  fireEvent.submit(form());
  expect(box.querySelector('.diff-old')?.textContent).toContain('echo {{env}}');
  expect(box.querySelector('.diff-new')?.textContent).toContain('echo new');
  expect(posts()).toEqual([]);
  fireEvent.submit(form());
  await waitFor(() =>
    expect(posts()).toEqual([{ command: 'retry', node: id, inputs: { script: 'echo new', hosts: ['a', 'b'] } }]),
  );
});

test('the detail is loaded anew when the node stands otherwise, the old one stays meanwhile', async () => {
  const { update } = show();
  await screen.findByRole('button', { name: 'Retry' });
  const details = () => asked.filter((a) => a.method === 'GET' && !a.url.includes('/log')).length;
  expect(details()).toBe(1);
  current = {
    ...detail,
    state: 'FINISHED',
    retry: 1,
    version: 'v2',
    error: undefined,
    why: undefined,
    actions: [],
    attempts: [{ ...detail, inputs: { script: 'old' }, outputs: {} }],
  };
  update([{ ...failed, state: 'FINISHED', retry: 1, version: 'v2' }]);
  expect(screen.getByText(/cause 19/)).toBeTruthy();
  await waitFor(() => expect(screen.queryByText(/cause 19/)).toBeNull());
  expect(details()).toBe(2);
  expect(screen.queryByRole('button', { name: 'Retry' })).toBeNull();
  // The earlier attempt is kept.
  await userEvent.selectOptions(screen.getByLabelText('Attempt'), '1');
  expect(screen.getByText(/cause 19/)).toBeTruthy();
  expect(screen.getByText('old')).toBeTruthy();
});

test('Escape closes it, and the way to the subprocess around it is there', async () => {
  const [onClose, onSelect] = [vi.fn(), vi.fn()];
  show([failed], { onClose, onSelect });
  await userEvent.click(await screen.findByRole('button', { name: 'Around' }));
  expect(onSelect).toHaveBeenCalledWith(1);
  fireEvent.keyDown(document.body, { key: 'Escape' });
  expect(onClose).toHaveBeenCalledTimes(1);
});

test('who drives the task is told, also that nobody does, and when somebody will', async () => {
  const driver = { name: 'ops-1_2026', pid: 4711 };
  current = { ...detail, driver };
  show();
  const line = async () => (await screen.findByText('Driven by')).parentElement?.textContent;
  expect(await line()).toBe('Driven byops-1_2026 process 4711');
  cleanup();
  current = { ...detail, driver: { ...driver, lost: true } };
  show();
  expect(await line()).toContain('another process takes the task');
  cleanup();
  current = detail;
  show();
  expect(await line()).toBe('Driven byNo process drives the task now.');
  cleanup();
  current = { ...detail, taken_at: new Date(Date.now() + 7_200_500).toISOString() };
  show();
  expect(await line()).toMatch(/No process drives the task now\. One takes it in \d/);
});

test('how long it waited for a slot and ran is told in words, nothing of it where that is not known', async () => {
  const seconds = (n: number) => new Date(Date.parse(at) + n * 1000).toISOString();
  const timing = { started_at: at, called_at: seconds(12), finished_at: seconds(60) };
  current = { ...detail, state: 'FINISHED', finished_at: seconds(60), why: undefined, timing };
  show();
  expect((await screen.findByText('Got a slot')).parentElement?.textContent).toContain(' · queued for 12 s');
  expect(screen.getByText('Ended').parentElement?.textContent).toContain(' · ran for 48 s');
  cleanup();
  current = { ...current, timing: { ...timing, called_at: undefined } };
  show();
  expect((await screen.findByText('Ended')).parentElement?.textContent).not.toContain('ran');
  expect(screen.queryByText('Got a slot')).toBeNull();
});
