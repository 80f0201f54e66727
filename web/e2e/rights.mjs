// Who may do nothing is offered nothing, and what cannot be shown is said to be so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { as, world } from './world.mjs';

export function rights() {
  test('who may only look sees no actions', () =>
    as('vic', {}, async (window, page) => {
      const { shop: project } = world.who;
      const { ids, zones } = world.shop;
      await window.go(`taskflow/execute/${project}/?instance_id=${ids.failed}`);
      await page.getByRole('button', { name: 'First failure' }).click();
      await page.locator('.node-error').waitFor();
      assert.equal(await page.locator('.run-actions button').count(), 0, 'of the task');
      assert.equal(await page.locator('.node-actions').count(), 0, 'of the node');
      await page.keyboard.press('Shift+R');
      await page.keyboard.press('Shift+P');
      await window.go(`taskflow/home/list/${project}/?q=zone`);
      await page.locator('tr[data-row] [aria-haspopup=menu]').first().click();
      await page.getByRole('menuitem').first().waitFor();
      assert.deepEqual(await page.getByRole('menuitem').allTextContents(), ['Nothing can be done to it now']);
      await window.go(`board/${project}/?ids=${zones.join(',')}`);
      await page.locator('.board-fail').first().waitFor();
      assert.equal(await page.locator('.board-bulk').count(), 0);
      assert.equal(await page.locator('.board-fail-do').count(), 0);
      await window.go(`start/${project}/`);
      await page.getByText('You may not see this.').waitFor();
      await page.getByText('flow_create_task').waitFor();
      // The server does not only hide it.
      const answer = await page.evaluate(async (path) => {
        const body = JSON.stringify({ command: 'revoke' });
        const headers = { 'Content-Type': 'application/json' };
        return (await fetch(new URL(path, document.baseURI), { method: 'POST', headers, body })).status;
      }, `api/v1/projects/${project}/tasks/${ids.failed}/commands`);
      assert.equal(answer, 403);
      window.allow(/403/);
    }));

  test('what is not there, or not for everybody', () =>
    as('vic', {}, async (window, page) => {
      window.allow(/40[34]/);
      for (const path of [`taskflow/home/list/${world.who.odd}/`, 'taskflow/home/list/999999/', 'board/999999/']) {
        await window.go(path);
        const said = page.getByText('It is not there.').or(page.getByText('You may not see this.'));
        await said.waitFor();
      }
      await window.go('taskflow/home/list/nonsense/');
      await page.getByText('There is no such page.').waitFor();
      await window.go(`taskflow/execute/${world.who.shop}/?instance_id=999999`);
      await page.getByText('It is not there.').waitFor();
      await window.go(`taskflow/execute/${world.who.shop}/?instance_id=nonsense`);
      await page.getByText('The address names no task.').waitFor();
    }));

  test('the policy of all pages forbids what is not of the server', async () => {
    for (const path of ['', 'login', 'board/1/']) {
      const policy = (await fetch(world.server.url + path)).headers.get('content-security-policy') ?? '';
      for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"]) {
        assert.ok(policy.includes(part), `${part} in ${policy}`);
      }
      assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    }
  });
}
