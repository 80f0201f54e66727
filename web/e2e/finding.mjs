// How people find what they look for: the palette, views of their own, the tree of the grid, and groups of the board.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from './server.mjs';
import { act, tree } from './tree.mjs';
import { as, hand, unique, ways, world } from './world.mjs';

const hour = { bk_timing: '3600' };
const dialog = (page) => page.getByRole('dialog');
const find = (page) => page.getByRole('combobox', { name: 'Task, screen, view or action' });
const option = (page, name) => dialog(page).getByRole('option', { name });
const focused = (locator) => locator.evaluate((el) => el === document.activeElement);

/** Tasks of two trees: more of one that waits, fewer of one that fails. */
async function twoTrees(project, word) {
  const waits = tree([act('Wait', 'sleep_timer', hour)]);
  const fails = tree([act('Prepare'), act('Break', 'fail_ctrl_node', { bit: 0 })]);
  const made = [];
  for (let i = 0; i < 3; i++) made.push((await world.api.task(project, `${word} waits ${i}`, waits)).id);
  for (let i = 0; i < 2; i++) made.push((await world.api.task(project, `${word} fails ${i}`, fails)).id);
  for (const id of made.slice(0, 3)) await world.api.untilNode(project, id, 'Wait', 'RUNNING');
  for (const id of made.slice(3)) await world.api.until(project, id, 'FAILED');
  return made;
}

export function finding() {
  for (const way of ways) {
    const walk = (name, who, run) =>
      test(`${name}, ${way}`, () => as(who, {}, (window, page) => run(page, hand(way, page), window)));

    walk('grid: the tree that failed first, another one chosen', 'ann', async (page, by, window) => {
      const project = world.who.walks;
      const word = unique('trees');
      const made = await twoTrees(project, word);
      await window.go(`board/${project}/?ids=${made.join(',')}&view=grid`);
      const grid = page.getByRole('grid', { name: 'Tasks by nodes' });
      await grid.getByRole('columnheader', { name: /Break/ }).waitFor();
      assert.equal(
        await grid.locator('.board-grid-line').count(),
        2,
        'the tree in which tasks failed, though fewer share it',
      );
      await page.getByText('3 more tasks of other flows').waitFor();
      const choice = page.getByLabel('Flow', { exact: true });
      const labels = await choice.evaluate((el) => [...el.options].map((o) => o.label));
      assert.match(labels[0], new RegExp(`^Like “${word} fails 0” @[0-9a-f]{7} · 2 tasks · 2 failed$`));
      assert.match(labels[1], new RegExp(`^Like “${word} waits 0” @[0-9a-f]{7} · 3 tasks$`));
      await by.select(choice, labels[1]);
      await grid.getByRole('columnheader', { name: /Wait/ }).waitFor();
      await eventually('the other tasks', async () => (await grid.locator('.board-grid-line').count()) === 3);
      await page.locator('.board-cell.cell-running').nth(2).waitFor();
      // The address has the choice.
      await eventually('the address', () => /&tree=[0-9a-f]+/.test(page.url()));
      await page.reload();
      await grid.getByRole('columnheader', { name: /Wait/ }).waitFor();
      assert.equal(await grid.locator('.board-grid-line').count(), 3);
    });

    walk('board: groups with counts, in the list and on the wall', 'ann', async (page, by, window) => {
      const project = world.who.walks;
      const word = unique('groups');
      const made = await twoTrees(project, word);
      const created = await world.api.task(project, `${word} new`, tree([act('Do it')]), { start: false });
      await window.go(`board/${project}/?ids=${[...made, created.id].join(',')}`);
      await page.locator('.board-row').nth(5).waitFor();
      const heads = page.locator('.board-group');
      const texts = async () => (await heads.allTextContents()).map((text) => text.replace(/\s+/g, ' '));
      await by.select(page.getByLabel('Groups', { exact: true }), 'By state');
      await heads.nth(2).waitFor();
      assert.deepEqual(await texts(), ['Failed2 tasks 2 failed', 'Running3 tasks', 'Created1 task']);
      await by.select(page.getByLabel('Groups', { exact: true }), 'By who started');
      await heads.filter({ hasText: 'Not started' }).waitFor();
      assert.deepEqual(await texts(), ['ann5 tasks 2 failed', 'Not started1 task']);
      await by.select(page.getByLabel('Groups', { exact: true }), 'By flow');
      await heads.nth(2).waitFor();
      assert.match((await texts())[0], new RegExp(`^Like “${word} fails 0” @[0-9a-f]{7}2 tasks 2 failed$`));
      assert.match(page.url(), /&group=flow/);

      // A folded group keeps its head, and its tasks come back.
      await by.press(heads.first());
      await eventually('the tasks below it', async () => (await page.locator('.board-row').count()) === 4);
      assert.equal(await heads.first().getAttribute('aria-expanded'), 'false');
      await by.press(heads.first());
      await eventually('the tasks below it', async () => (await page.locator('.board-row').count()) === 6);

      await by.press(page.getByRole('button', { name: 'Full screen' }));
      const wall = page.getByRole('dialog', { name: 'Full screen' });
      await wall.getByRole('list', { name: 'Groups' }).waitFor();
      assert.equal(await wall.locator('.tv-groups li').count(), 3);
      assert.match(await wall.locator('.tv-groups li').first().textContent(), /fails 0” .*2 tasks.*2 failed/);
      await page.keyboard.press('Escape');
      await wall.waitFor({ state: 'detached' });
      await page.reload();
      await heads.nth(2).waitFor();
    });

    walk('list: a view of one’s own is saved, chosen, renamed and deleted', 'ann', async (page, by, window) => {
      const project = world.who.walks;
      const word = unique('view');
      await world.api.task(project, `${word} one`, tree([act('Do it')]));
      await window.go(`taskflow/home/list/${project}/?q=${word}&range=30d`);
      const views = page.getByRole('navigation', { name: 'Saved views' });
      await by.press(views.getByRole('button', { name: 'Save this view' }));
      await by.press(dialog(page).getByRole('button', { name: 'Save', exact: true }));
      await dialog(page).getByText('A view needs a name.').waitFor();
      await by.fill(dialog(page).getByLabel('Name'), 'Nightly');
      await by.press(dialog(page).getByRole('button', { name: 'Save', exact: true }));
      await dialog(page).waitFor({ state: 'detached' });
      const own = views.getByRole('button', { name: 'Nightly', exact: true });
      assert.equal(await own.getAttribute('aria-pressed'), 'true');
      assert.equal(await views.getByRole('button', { name: 'Save this view' }).count(), 0, 'it has a name already');

      await by.press(views.getByRole('button', { name: 'Waiting for someone' }));
      await eventually('the other view', () => decodeURIComponent(page.url()).includes('is:waiting'));
      await eventually('it is not chosen', async () => (await own.getAttribute('aria-pressed')) === 'false');
      await by.press(own);
      await eventually('the view', () => page.url().endsWith(`?q=${word}&range=30d`));
      await page.getByText('1 task shown').waitFor();

      await page.reload();
      const change = (name) => views.getByRole('button', { name: `Change the view ${name}` });
      await by.choose(change('Nightly'), page.getByRole('menuitem', { name: 'Rename' }));
      await by.fill(dialog(page).getByLabel('Name'), 'Every night');
      await by.press(dialog(page).getByRole('button', { name: 'Rename' }));
      await views.getByRole('button', { name: 'Every night', exact: true }).waitFor();
      // Another project does not have it.
      await window.go(`taskflow/home/list/${world.who.shop}/`);
      await views.getByRole('button', { name: 'Mine' }).waitFor();
      assert.equal(await views.getByRole('button', { name: 'Every night' }).count(), 0);
      await window.go(`taskflow/home/list/${project}/`);
      await by.choose(change('Every night'), page.getByRole('menuitem', { name: 'Delete' }));
      await by.press(dialog(page).getByRole('button', { name: 'Delete' }));
      await views.getByRole('button', { name: 'Every night' }).waitFor({ state: 'detached' });
    });

    walk('palette: a task by its name and by its id, and what can be done to it', 'ann', async (page, by, window) => {
      const project = world.who.walks;
      const word = unique('palette');
      const { id } = await world.api.task(project, `${word} waits`, tree([act('Wait', 'sleep_timer', hour)]));
      await world.api.untilNode(project, id, 'Wait', 'RUNNING');
      await window.go(`taskflow/home/list/${project}/`);
      const open = page.getByRole('button', { name: 'Go to anything' });
      const type = async (text) => {
        await open.waitFor();
        if (way === 'mouse') await open.click();
        else await page.keyboard.press('ControlOrMeta+k');
        await find(page).waitFor();
        assert.ok(await focused(find(page)), 'the box has the focus');
        await page.keyboard.insertText(text);
      };
      const take = async (name) => {
        await option(page, name).waitFor();
        if (way === 'mouse') await option(page, name).click();
        else {
          const wanted = await option(page, name).getAttribute('id');
          await eventually('the arrows', async () => {
            if ((await find(page).getAttribute('aria-activedescendant')) === wanted) return true;
            await page.keyboard.press('ArrowDown');
            return false;
          });
          assert.equal(await option(page, name).getAttribute('aria-selected'), 'true');
          await page.keyboard.press('Enter');
        }
        await find(page).waitFor({ state: 'detached' });
      };
      await type(word);
      await take(new RegExp(`${word} waits`));
      await page.getByRole('heading', { name: `${word} waits` }).waitFor();

      // What can be done to the task is asked about as by its button.
      await type('pause');
      await take('Pause');
      await dialog(page)
        .getByRole('heading', { name: `Pause: ${word} waits?` })
        .waitFor();
      await by.fill(dialog(page).getByLabel('Reason'), 'by the palette');
      await by.press(dialog(page).getByRole('button', { name: 'Pause', exact: true }));
      await world.api.until(project, id, 'SUSPENDED');
      await dialog(page).waitFor({ state: 'detached' });
      await page.locator('.run-title .state').getByText('Paused', { exact: true }).waitFor();
      await type('');
      assert.equal(await option(page, 'Pause').count(), 0, 'what cannot be done is not offered');
      await option(page, 'Resume').waitFor();
      await page.keyboard.press('Escape');
      await dialog(page).waitFor({ state: 'detached' });

      await window.go(`board/${project}/`);
      await page.getByLabel('Ids of tasks').waitFor();
      await type(String(id));
      await take(new RegExp(`${word} waits.*#${id}`));
      await page.getByRole('heading', { name: `${word} waits` }).waitFor();
      await type('failed today');
      await take(/Failed today/);
      await eventually('the view', () => decodeURIComponent(page.url()).includes('state:failed&range=today'));
      await type('theme dark');
      await take('Dark');
      assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
      await type('简体');
      await take(/中文/);
      await page.getByRole('heading', { name: '任务列表' }).waitFor();
    });
  }

  test('list: it says that only the newest of a state are followed', () =>
    as('ann', {}, async (window, page) => {
      const note = page.getByText('2,000 newest followed live');
      const event = (cut) =>
        `event: tasks\nid: x\ndata: {"tasks":[],"cut":${cut},"now":"${new Date().toISOString()}"}\n\n`;
      let cut = true;
      await page.route('**/tasks:watch', (route) =>
        route.fulfill({ contentType: 'text/event-stream', body: event(cut) }),
      );
      await window.go(`taskflow/home/list/${world.who.shop}/?q=state:running`);
      await page.locator('tr[data-row]').first().waitFor();
      await note.waitFor();
      assert.deepEqual(await window.violations(), []);
      cut = false;
      await note.waitFor({ state: 'detached' });
    }));

  test('palette: the focus stays in it and goes back', () =>
    as('vic', {}, async (window, page) => {
      const { failed } = world.shop.ids;
      await window.go(`taskflow/execute/${world.who.shop}/?instance_id=${failed}`);
      const search = page.getByRole('searchbox', { name: 'Find a node' });
      await search.focus();
      await page.keyboard.press('ControlOrMeta+k');
      await find(page).waitFor();
      for (const name of ['Revoke', 'Pause', 'Delete']) {
        assert.equal(await option(page, name).count(), 0, 'who may only look is offered nothing');
      }
      for (let i = 0; i < 5; i++) {
        await page.keyboard.press('Tab');
        const inside = await page.evaluate(() => {
          const at = document.activeElement;
          return at === document.body || at?.closest('dialog') !== null;
        });
        assert.ok(inside, 'Tab leaves nothing behind the palette the focus');
      }
      await find(page).focus();
      await page.keyboard.insertText('there is nothing like this');
      await page.getByText('0 matches').waitFor();
      assert.equal(await find(page).getAttribute('aria-activedescendant'), null);
      await page.keyboard.press('Enter');
      await find(page).waitFor();
      await page.keyboard.press('Escape');
      await find(page).waitFor({ state: 'detached' });
      assert.ok(await focused(search), 'the focus is where it was');
      await page.keyboard.press('ControlOrMeta+k');
      await find(page).waitFor();
      await page.keyboard.press('ControlOrMeta+k');
      await find(page).waitFor({ state: 'detached' });
    }));
}
