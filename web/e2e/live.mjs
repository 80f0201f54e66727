// What happens elsewhere is shown without loading again, also after the way to the server was cut.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { people } from './seed.mjs';
import { Server } from './server.mjs';
import { act, tree } from './tree.mjs';
import { as, unique, world } from './world.mjs';

const waits = () => tree([act('Ask outside', 'callback_node')]);
const live = (page) => page.locator('.feed-live').waitFor();

// Loading again would lose this.
const mark = (page) => page.evaluate(() => Object.assign(window, { marked: true }));
const marked = async (page) => assert.ok(await page.evaluate(() => window.marked), 'nothing was loaded again');

export function changes() {
  test('a change made elsewhere shows', () =>
    as('ann', {}, async (window, page) => {
      const project = world.who.walks;
      const name = unique('live');
      const { id } = await world.api.task(project, name, waits());
      await world.api.untilNode(project, id, 'Ask outside', 'RUNNING', 'waiting');
      const show = async (path) => {
        await window.go(path);
        await live(page);
        await mark(page);
      };
      await show(`taskflow/home/list/${project}/?q=${name}`);
      const row = page.locator(`tr[data-row="${id}"]`);
      await row.getByText('Running', { exact: true }).waitFor();
      await world.api.do(project, id, 'pause');
      await row.getByText('Paused', { exact: true }).waitFor();
      const other = await world.api.task(project, `${name} too`, waits());
      await page.getByRole('button', { name: '1 changed – show' }).click();
      await page.locator(`tr[data-row="${other.id}"]`).waitFor();
      await marked(page);

      await show(`board/${project}/?ids=${id},${other.id}`);
      const totals = page.locator('.board-totals');
      await totals.getByRole('button', { name: /Paused\s*1/ }).waitFor();
      await world.api.do(project, id, 'resume');
      await totals.getByRole('button', { name: /Running\s*2/ }).waitFor();
      await marked(page);

      await show(`taskflow/execute/${project}/?instance_id=${id}`);
      await world.api.do(project, id, 'callback', { node: 'Ask outside', data: { bit: 1 } });
      await page.locator('.run-title .state').getByText('Finished').waitFor();
      await page.getByText('Ended', { exact: true }).first().waitFor();
      await marked(page);
    }));

  test('the page of a task shows the tasks that it makes', () =>
    as('ann', {}, async (window, page) => {
      const project = world.who.walks;
      const name = unique('makes');
      const pipeline = tree([act('Say so')]);
      const child = (of) => {
        const subprocess = { hook: false, value: { subprocess_name: of, pipeline } };
        return act(of, '', {}, { component: { code: 'subprocess_plugin', version: '1.0.0', data: { subprocess } } });
      };
      const flow = tree([
        act('Ask outside', 'callback_node'),
        child('North'),
        act('Ask again', 'callback_node'),
        child('South'),
      ]);
      const { id } = await world.api.task(project, name, flow);
      await world.api.untilNode(project, id, 'Ask outside', 'RUNNING', 'waiting');
      await window.go(`taskflow/execute/${project}/?instance_id=${id}`);
      await live(page);
      await mark(page);
      const children = page.locator('.run-children a');
      assert.equal(await children.count(), 0);
      for (const [i, ask] of ['Ask outside', 'Ask again'].entries()) {
        await world.api.untilNode(project, id, ask, 'RUNNING', 'waiting');
        await world.api.do(project, id, 'callback', { node: ask, data: { bit: 1 } });
        await children.nth(i).waitFor();
      }
      const made = (await world.api.get(project, id)).children.map(String);
      assert.deepEqual(await children.allTextContents(), made);
      await marked(page);
    }));

  test('below a path, when the server restarts and when the way to it is cut', async () => {
    const server = new Server('/stdops');
    try {
      await server.start();
      const who = people(server);
      const api = server.api(who.ann);
      const { id } = await api.task(who.walks, 'Below a path', waits());
      await api.untilNode(who.walks, id, 'Ask outside', 'RUNNING', 'waiting');
      await as(undefined, { server }, async (window, page) => {
        page.on('request', (request) => assert.ok(request.url().startsWith(server.url), request.url()));
        await window.go(`taskflow/home/list/${who.walks}/`);
        await page.getByRole('heading', { name: 'Sign in' }).waitFor();
        await page.getByLabel('Token').fill(who.ann);
        await page.getByRole('button', { name: 'Sign in' }).click();
        await page.getByRole('link', { name: 'Below a path' }).click();
        await page.getByRole('heading', { name: 'Below a path' }).waitFor();
        await page.locator('.react-flow__node').first().waitFor();
        assert.ok(page.url().startsWith(`${server.url}taskflow/execute/`));
        await page.reload();
        await live(page);
        await mark(page);

        window.allow(/ERR_|Failed to load resource|50[0-9]/);
        await server.stop();
        await page.getByText(/Last update .* ago, retrying/).waitFor();
        await server.start();
        await live(page);
        await api.do(who.walks, id, 'pause');
        const state = page.locator('.run-title .state');
        await state.getByText('Paused', { exact: true }).waitFor();
        await marked(page);

        // What happens while nothing gets through is there afterwards.
        await server.wire.cut();
        await page.getByText(/Last update .* ago, retrying/).waitFor();
        await api.do(who.walks, id, 'resume');
        await api.do(who.walks, id, 'callback', { node: 'Ask outside', data: { bit: 1 } });
        await api.until(who.walks, id, 'FINISHED');
        await state.getByText('Paused', { exact: true }).waitFor();
        await server.wire.mend();
        await state.getByText('Finished').waitFor();
        await live(page);
        await marked(page);
        for (const [link, field] of [
          ['Board', page.getByLabel('Ids of tasks')],
          ['Start', page.getByRole('heading', { name: 'Start a task' })],
        ]) {
          await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: link }).click();
          await field.waitFor();
        }
      });
    } finally {
      await server.end();
    }
  });
}
