// What an operator relies on when something odd happens: sentences that name what failed, and what was chosen is still chosen.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { everyLook } from './browser.mjs';
import { many } from './seed.mjs';
import { eventually } from './server.mjs';
import { act, par, tree } from './tree.mjs';
import { as, hand, unique, ways, world } from './world.mjs';

const hour = { bk_timing: '3600' };

export function kept() {
  test('a task that failed names the node that failed, whatever else goes on', () =>
    as('ann', {}, async (window, page) => {
      const project = world.who.walks;
      const name = unique('half');
      const both = par('both', [[act('Push', 'fail_ctrl_node', { bit: 0 })], [act('Wait', 'sleep_timer', hour)]]);
      const { id } = await world.api.task(project, name, tree([both]));
      await world.api.until(project, id, 'FAILED');
      await world.api.untilNode(project, id, 'Wait', 'RUNNING');
      const said = /^\u2068?Push\u2069? failed; 1 other node still running$/;
      await window.go(`taskflow/execute/${project}/?instance_id=${id}`);
      await page.locator('.run-phase > span').last().filter({ hasText: said }).waitFor();
      await page.locator('.run-phase').getByRole('button', { name: 'Push' }).click();
      await page.getByRole('complementary', { name: 'Push' }).waitFor();
      await window.go(`taskflow/home/list/${project}/?q=${name}`);
      await page.locator('.tasks-now').getByText(said).waitFor();
      // A short name is not broken, however long the sentence beside it.
      const by = page.locator('tbody .tasks-by bdi');
      assert.equal(await by.evaluate((e) => e.getClientRects().length), 1);
      await window.go(`board/${project}/?ids=${id}`);
      const why = page.locator('.board-row-why bdi');
      await why
        .getByText(said)
        .or(why.filter({ hasText: said }))
        .first()
        .waitFor();
      assert.ok(await why.evaluate((e) => e.scrollHeight <= e.clientHeight + 1), 'none of it is cut');
      // On the wall too, with the time and not the day.
      const waits = await world.api.task(project, `${name} waits`, tree([act('Wait', 'sleep_timer', hour)]));
      await world.api.untilNode(project, waits.id, 'Wait', 'RUNNING');
      await window.go(`board/${project}/?ids=${id},${waits.id}&tv=1`);
      const cards = page.locator('.tv-card-why');
      await cards.filter({ hasText: said }).waitFor();
      await cards.filter({ hasText: /until (\w+ \d+, )?\d\d:\d\d/ }).waitFor();
    }));

  test('who comes back to a list finds what was selected, and where it was left', () =>
    as('ann', {}, async (window, page) => {
      const project = world.who.walks;
      const word = unique('back');
      const flow = tree([act('Wait', 'sleep_timer', hour)]);
      const make = (i) => world.api.task(project, `${word} ${i}`, flow, { start: false });
      const ids = (await many(60, make)).map((t) => t.id).toSorted((a, b) => b - a);
      const checked = page.locator('input:checked');
      const away = async (link) => {
        await link.click();
        await page.getByRole('tree', { name: 'Outline' }).waitFor();
        await page.goBack();
      };
      const focused = (row) =>
        eventually('the focus is back', () =>
          page.evaluate(
            (row) => document.activeElement?.closest(row) !== null && document.activeElement !== document.body,
            row,
          ),
        );

      let release;
      const held = new Promise((resolve) => {
        release = resolve;
      });
      await window.go(`taskflow/home/list/${project}/?q=${word}`);
      const row = (id) => page.locator(`tr[data-row="${id}"]`);
      await row(ids[0]).waitFor();
      await page.getByRole('button', { name: 'Older tasks' }).click();
      for (const at of [1, 55]) await row(ids[at]).getByRole('checkbox').click();
      await away(row(ids[57]).locator('[data-open]'));
      await row(ids[57]).waitFor();
      await page.getByText('2 selected').waitFor();
      await focused(`tr[data-row="${ids[57]}"]`);
      assert.ok(await row(ids[57]).evaluate((e) => e.getBoundingClientRect().bottom <= innerHeight), 'it is in sight');
      // Who is quicker than the list, and types already, is left alone.
      await page.route('**/projects/*/tasks?*', (route) => held.then(() => route.continue()));
      await row(ids[57]).locator('[data-open]').click();
      await page.getByRole('tree', { name: 'Outline' }).waitFor();
      await page.goBack();
      const box = page.getByRole('combobox', { name: 'Which tasks' });
      await box.click();
      release();
      await row(ids[57]).waitFor();
      assert.ok(await box.evaluate((e) => e === document.activeElement));
      await page.unroute('**/projects/*/tasks?*');
      // Whoever comes anew begins anew.
      await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: 'Board' }).click();
      await page.getByLabel('Ids of tasks').waitFor();
      await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: 'Tasks' }).click();
      await page.locator('tr[data-row]').first().waitFor();
      assert.equal(await checked.count(), 0);
      // What was selected beyond what is shown is selected still.
      await window.go(`taskflow/home/list/${project}/?q=${word}`);
      await row(ids[0]).waitFor();
      await page.getByRole('checkbox', { name: 'Select all that are shown' }).click();
      await page.getByText('50 selected').waitFor();
      await page.getByRole('button', { name: 'Select all that match' }).click();
      await page.getByText('60 selected').waitFor();
      await away(row(ids[3]).locator('[data-open]'));
      await row(ids[3]).waitFor();
      await page.getByText('60 selected').waitFor();
      await page.getByText('All that match', { exact: true }).waitFor();

      await window.go(`board/${project}/?ids=${ids.join(',')}`);
      const search = page.getByPlaceholder('Name, id or node');
      const line = (id) => page.locator(`[data-task="${id}"]`);
      await line(ids.at(-1)).or(line(ids[0])).first().waitFor();
      await search.fill(`${word} 1`);
      await page.getByText('11 of 60 tasks').waitFor();
      const shown = page.locator('[data-task]');
      for (const i of [0, 2]) await shown.nth(i).getByRole('checkbox').click();
      const last = await shown.nth(10).getAttribute('data-task');
      await away(line(last).locator('a'));
      await page.getByText('11 of 60 tasks').waitFor();
      assert.equal(await search.inputValue(), `${word} 1`);
      await page.getByText('2 selected:').waitFor();
      assert.equal(await checked.count(), 2);
      await focused(`[data-task="${last}"]`);
    }));

  test('a task that is deleted while its page is open keeps its graph, and the board says what became of it', () =>
    as('ann', {}, async (window, page) => {
      const project = world.who.walks;
      const name = unique('deleted');
      const { id } = await world.api.task(
        project,
        name,
        tree([act('Prepare'), act('Break', 'fail_ctrl_node', { bit: 0 })]),
      );
      const stays = await world.api.task(project, `${name} not`, tree([act('Prepare')]));
      await world.api.until(project, id, 'FAILED');
      await world.api.do(project, id, 'revoke');
      window.allow(/404/);
      await window.go(`taskflow/execute/${project}/?instance_id=${id}`);
      await page.locator('.react-flow__node').first().waitFor();
      const lines = page.locator('.graph-lines path');
      const drawn = await lines.count();
      assert.ok(drawn > 2);
      await page.getByRole('button', { name: 'First failure' }).waitFor();
      await world.api.call('DELETE', `projects/${project}/tasks/${id}`);
      await page.getByText('This task was deleted. It can be read').waitFor();
      await eventually('the tabs', async () => (await page.getByRole('tab').count()) === 2);
      assert.deepEqual(await page.getByRole('tab').allTextContents(), ['Graph', 'Nodes']);
      assert.equal(await lines.count(), drawn);
      assert.equal(await page.locator('.run-actions button').count(), 0);

      await window.go(`board/${project}/?ids=${id},${stays.id},999999`);
      const verdicts = page.getByRole('region', { name: '2 ids need a look' });
      await verdicts.getByText('Deleted. It was: Revoked.').waitFor();
      await verdicts.getByText('This project has no such task.').waitFor();
      await verdicts.getByRole('link', { name: String(id) }).click();
      await page.getByRole('heading', { name }).waitFor();
      await page.getByText('This task was deleted. It can be read').waitFor();
      assert.deepEqual(await page.getByRole('tab').allTextContents(), ['Nodes']);
    }));

  test('who asks for what somebody else has done already is told before it is sent', () =>
    as('ann', {}, async (window, page) => {
      const project = world.who.walks;
      const flow = tree([act('Break', 'fail_ctrl_node', { bit: 0 }), act('Wait', 'sleep_timer', hour)]);
      const { id } = await world.api.task(project, unique('both'), flow);
      await world.api.until(project, id, 'FAILED');
      const dialog = page.getByRole('dialog');
      const note = dialog.getByRole('alert');
      await window.go(`taskflow/execute/${project}/?instance_id=${id}`);
      await page.getByRole('button', { name: 'First failure' }).click();
      await page.getByRole('button', { name: 'Skip', exact: true }).click();
      await dialog.getByLabel('Reason').fill('it did its work');
      await world.api.do(project, id, 'retry', { node: 'Break' });
      await note.getByText('“Failed” now: what you send is about that').waitFor();
      await world.api.do(project, id, 'skip', { node: 'Break' });
      await note.getByText('“Finished” now, and this cannot be done any more').waitFor();
      assert.equal(await dialog.getByLabel('Reason').inputValue(), 'it did its work', 'nothing that was typed is lost');
      assert.deepEqual(await window.violations(), []);
      await page.keyboard.press('Escape');

      await page.locator('.run-actions').getByRole('button', { name: 'Pause' }).click();
      await world.api.do(project, id, 'revoke');
      await note.getByText('“Revoked” now, and this cannot be done any more').waitFor();
      await everyLook(window, page, 'task-meanwhile', async () => assert.deepEqual(await window.violations(), []));
    }));

  test('a task is started once, though the answer was lost and Start was pressed again', () =>
    as('ann', {}, async (window, page) => {
      const { walks: project } = world.who;
      const name = unique('once');
      const file = join(world.server.dir, `${name}.json`);
      writeFileSync(file, JSON.stringify(tree([act('Prepare')])));
      const flow = world.server.cli('flow', 'create', '-f', file, '--name', name, '--project', String(project)).id;
      window.allow(/ERR_FAILED/);
      let lost = 0;
      // The server does what it was asked to, and the page does not learn of it.
      await page.route(/projects\/\d+\/tasks$/, async (route) => {
        if (route.request().method() !== 'POST' || lost > 0) return route.continue();
        lost++;
        await route.fetch();
        return route.abort();
      });
      await window.go(`start/${project}/?flow=${flow}`);
      await page.getByLabel('Name of the task').fill(name);
      const start = page.getByRole('button', { name: 'Start', exact: true });
      await start.click();
      await page.locator('.error-box').waitFor();
      await start.click();
      await page.getByRole('heading', { name }).waitFor();
      assert.equal(lost, 1);
      const { tasks } = await world.api.call('GET', `projects/${project}/tasks?keyword=${name}`);
      assert.equal(tasks.length, 1);
    }));

  test('a long name is whole for who comes by the keyboard', () =>
    as('ann', { language: 'zh-CN' }, async (window, page) => {
      const project = world.who.walks;
      const word = unique('长');
      const name = `${word}${'将所有生产环境服务器的配置文件推送到各个机房'.repeat(5)}`;
      const { id } = await world.api.task(project, name, tree([act('Prepare')]), { start: false });
      const cut = (link) => link.evaluate((e) => e.scrollHeight > e.clientHeight + 1);
      for (const [path, link] of [
        [
          `taskflow/home/list/${project}/?q=${encodeURIComponent(word)}`,
          page.locator(`tr[data-row="${id}"] [data-open]`),
        ],
        [`board/${project}/?ids=${id}`, page.locator(`[data-task="${id}"] a`)],
      ]) {
        await window.go(path);
        await link.waitFor();
        assert.ok(await cut(link), 'two lines do not hold it');
        await page.keyboard.press('j');
        await eventually('the focus', () => link.evaluate((e) => e === document.activeElement));
        assert.equal(await cut(link), false, path);
        assert.deepEqual(await window.violations(), []);
      }
    }));

  test('a query for a flow waits for the flows, and a task of one says of which version', () =>
    as('ann', {}, async (window, page) => {
      const { shop: project } = world.who;
      const { ids } = world.shop;
      let away = true;
      const refuse = (route) =>
        away
          ? route.fulfill({
              status: 500,
              contentType: 'application/problem+json',
              body: JSON.stringify({ status: 500, code: 'internal', detail: 'no', request_id: 'r-1' }),
            })
          : route.continue();
      await page.route(/projects\/\d+\/flows$/, refuse);
      window.allow(/500/);
      await window.go(`taskflow/home/list/${project}/?q=${encodeURIComponent('flow:"Two sites"')}&range=all`);
      await page.getByText('Request r-1').waitFor();
      assert.equal(await page.locator('tr[data-row]').count(), 0, 'tasks of all flows are not what was asked for');
      assert.equal(await page.getByText('There is no flow like').count(), 0);
      away = false;
      await page.locator('.error-box').getByRole('button', { name: 'Try again' }).click();
      const tree7 = (await world.api.get(project, ids.parent)).run.tree.slice(0, 7);
      await page.locator(`tr[data-row="${ids.parent}"] .tasks-sub`).getByText(`Two sites@${tree7}`).waitFor();
      await window.go(`taskflow/execute/${project}/?instance_id=${ids.parent}`);
      await page.locator('.run-facts').getByText(`@${tree7}`).waitFor();
    }));

  for (const way of ways) {
    test(`board: the tasks of a view, ${way}`, () =>
      as('ann', {}, async (window, page) => {
        const project = world.who.walks;
        const by = hand(way, page);
        const word = unique('view');
        const named = `${word} ${'很长的名称'.repeat(5)}`;
        const bad = tree([act('Break', 'fail_ctrl_node', { bit: 0 })]);
        const made = await many(2, (i) => world.api.task(project, `${word} ${i}`, bad));
        for (const { id } of made) await world.api.until(project, id, 'FAILED');
        await window.go(`taskflow/home/list/${project}/?q=${word}+state:failed&range=30d`);
        await by.press(page.getByRole('button', { name: 'Save this view' }));
        await by.fill(page.getByRole('dialog').getByLabel('Name'), named);
        await by.press(page.getByRole('dialog').getByRole('button', { name: 'Save', exact: true }));
        await window.go(`board/${project}/`);
        const views = page.getByRole('region', { name: 'Or the tasks of a view, as they are now' });
        await views.getByRole('button', { name: named }).waitFor();
        await everyLook(window, page, 'board-views', async () => assert.deepEqual(await window.violations(), []));
        await by.press(views.getByRole('button', { name: named }));
        await page.locator('.board-row').nth(1).waitFor();
        assert.equal(await page.locator('.board-row').count(), 2);
        await page.getByText('failed in 2 of 2').waitFor();
        for (const { id } of made) await world.api.do(project, id, 'revoke');
        await window.go(`board/${project}/`);
        await by.press(views.getByRole('button', { name: named }));
        await views.getByText('No task is in this view now.').waitFor();
      }));
  }

  test('a callback can be copied for the program that is waited for', () =>
    as('ann', { permissions: ['clipboard-read', 'clipboard-write'] }, async (window, page) => {
      const project = world.who.walks;
      const { id } = await world.api.task(project, unique('call'), tree([act('Ask outside', 'callback_node')]));
      await world.api.untilNode(project, id, 'Ask outside', 'RUNNING', 'waiting');
      await window.go(`taskflow/execute/${project}/?instance_id=${id}`);
      await page.getByRole('treeitem', { name: /^Ask outside/ }).click();
      await page.getByRole('button', { name: 'Send callback' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox').first().fill('{"bit": 1, "who": "it\'s us"}');
      await dialog.getByRole('button', { name: 'Copy as API call' }).click();
      const line = await eventually('the copy', () => page.evaluate(() => navigator.clipboard.readText()));
      // It works when pasted.
      const env = { ...process.env, STDOPS_TOKEN: world.who.ann };
      const run = spawnSync('sh', ['-c', line], { env, encoding: 'utf8' });
      assert.equal(run.status, 0, run.stderr);
      await world.api.until(project, id, 'FINISHED');
    }));

  test('what was refused can be tried again', () =>
    as('vic', {}, async (window, page) => {
      const { shop: project } = world.who;
      const { zones } = world.shop;
      window.allow(/403/);
      const body = JSON.stringify({ status: 403, code: 'denied', detail: 'this needs task_view', request_id: 'r-2' });
      const refuse = (route) => route.fulfill({ status: 403, contentType: 'application/problem+json', body });
      for (const path of [
        `board/${project}/?ids=${zones.join(',')}`,
        `taskflow/home/list/${project}/`,
        `taskflow/execute/${project}/?instance_id=${zones[0]}`,
      ]) {
        await page.route('**/tasks:watch', refuse);
        await window.go(path);
        await page.locator('.feed').getByText('Not up to date any more').waitFor();
        if (path.startsWith('board')) {
          await page.getByText('You may not see this.').waitFor();
          await page.getByText('this needs task_view').waitFor();
          assert.equal(await page.locator('.skeleton').count(), 0, 'nothing is on its way');
          assert.deepEqual(await window.violations(), []);
        }
        await page.unroute('**/tasks:watch');
        await page.locator('.feed').getByRole('button', { name: 'Try again' }).click();
        await page.locator('.feed-live').waitFor();
      }
      await page.locator('.react-flow__node').first().waitFor();
    }));
}
