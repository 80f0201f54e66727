// The walks: each screen is used once with the mouse and once with the keyboard alone, and what came of it is asked of the
// API too.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from './server.mjs';
import { act, tree } from './tree.mjs';
import { as, hand, unique, ways, world } from './world.mjs';

const hour = { bk_timing: '3600' };

/** Who is signed in, as the server sees the window. */
const whoIs = (page) =>
  page.evaluate(async () => (await (await fetch(new URL('api/v1/session', document.baseURI))).json()).user ?? '');

const dialog = (page) => page.getByRole('dialog');

/** The row of a task in the list. */
const row = (page, name) => page.locator('tr[data-row]').filter({ hasText: name });

async function reasons(project, id) {
  return (await world.api.events(project, id)).filter((e) => e.reason).map((e) => e.reason);
}

export function walks() {
  for (const way of ways) {
    const walk = (name, who, run) =>
      test(`${name}, ${way}`, () => as(who, {}, (window, page) => run(page, hand(way, page), window)));

    walk('sign in by a link', undefined, async (page, by, window) => {
      const user = `${way}-link`;
      world.server.cli('user', 'create', user, '--role', `${world.who.walks}=viewer`);
      const link = world.who.link(user);
      await window.go(`login/${link}`);
      await page.getByRole('heading', { name: `Sign in as ${user}` }).waitFor();
      assert.equal(await whoIs(page), '', 'looking at a link does not use it');
      await by.press(page.getByRole('button', { name: 'Sign in' }));
      await page.getByRole('heading', { name: 'Projects' }).waitFor();
      assert.equal(await whoIs(page), user);

      window.allow(/410/);
      await window.go(`login/${link}`);
      await page.getByRole('heading', { name: 'This link does not work any more' }).waitFor();
    });

    walk('sign in by a token, and out', undefined, async (page, by, window) => {
      window.allow(/401/);
      await window.go(`board/${world.who.walks}/`);
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
      await by.fill(page.getByLabel('Token'), 'not a token');
      await by.press(page.getByRole('button', { name: 'Sign in' }));
      await page.getByText('This token does not count').waitFor();
      await by.fill(page.getByLabel('Token'), world.who.vic);
      await by.press(page.getByRole('button', { name: 'Sign in' }));
      // It leads to where the way began.
      await page.getByLabel('Ids of tasks').waitFor();
      assert.equal(await whoIs(page), 'vic');

      await by.choose(page.getByLabel('Signed in as vic'), page.getByRole('menuitem', { name: 'Sign out' }));
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
      assert.equal(await whoIs(page), '');
      await window.go('');
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    });

    walk('projects', 'vic', async (page, by, window) => {
      await window.go('');
      await page.getByRole('heading', { name: 'Projects' }).waitFor();
      assert.equal(await page.locator('main li').count(), 2, 'only those that may be seen');
      await by.press(page.getByRole('link', { name: /walks/ }));
      await page.getByRole('heading', { name: 'Tasks' }).waitFor();
      assert.match(page.url(), new RegExp(`/taskflow/home/list/${world.who.walks}/$`));
      const menu = page.getByRole('button', { name: 'Project: walks' });
      await by.choose(menu, page.getByRole('menuitemradio').first());
      await eventually('the other project', () => page.url().endsWith(`/list/${world.who.shop}/`));
      await by.press(page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: 'Board' }));
      await page.getByLabel('Ids of tasks').waitFor();
    });

    walk('list: search, filter, select, bulk pause with verdicts', 'ann', async (page, by, window) => {
      const project = world.who.walks;
      const word = unique('nightly');
      const waits = tree([act('Wait', 'sleep_timer', hour)]);
      const made = [];
      for (const n of ['one', 'two', 'three']) made.push(await world.api.task(project, `${word} ${n}`, waits));
      const broken = await world.api.task(
        project,
        `${word} broken`,
        tree([act('Break', 'fail_ctrl_node', { bit: 0 })]),
      );
      for (const { id } of made) await world.api.untilNode(project, id, 'Wait', 'RUNNING');
      await world.api.until(project, broken.id, 'FAILED');

      // What happens elsewhere does not get here: so that a command comes too late for one of them.
      await page.route('**/tasks:watch', () => {});
      await window.go(`taskflow/home/list/${project}/`);
      await by.fill(page.getByRole('combobox', { name: 'Which tasks' }), word);
      await page.getByText('4 tasks shown').waitFor();
      const strip = page.getByRole('group', { name: 'By state' });
      await by.press(strip.getByRole('button', { name: /Failed/ }));
      await page.getByText('1 task shown').waitFor();
      assert.equal(await row(page, `${word} broken`).count(), 1);
      assert.match(decodeURIComponent(page.url()), /state:failed/);
      await by.press(strip.getByRole('button', { name: /Running/ }));
      await page.getByText('3 tasks shown').waitFor();

      await by.press(page.getByRole('checkbox', { name: 'Select all that are shown' }));
      const bulk = page.getByRole('region', { name: 'Selected tasks' });
      await bulk.getByText('3 selected').waitFor();
      await by.press(bulk.getByRole('button', { name: 'Pause' }));
      await dialog(page).getByRole('heading', { name: 'Pause 3 tasks?' }).waitFor();
      await world.api.do(project, made[1].id, 'revoke', { reason: 'meanwhile' });
      await by.fill(dialog(page).getByLabel('Reason'), 'the window is over');
      await by.press(dialog(page).getByRole('button', { name: 'Pause' }));

      await dialog(page).getByRole('heading', { name: '1 was refused' }).waitFor();
      await dialog(page).getByText('2 were carried out.').waitFor();
      assert.equal(await dialog(page).locator('tbody tr').count(), 1);
      assert.match(await dialog(page).locator('tbody tr').textContent(), new RegExp(`${word} two[^]*conflict`));
      await page.keyboard.press('Escape');
      await dialog(page).waitFor({ state: 'detached' });
      for (const i of [0, 2]) {
        assert.equal((await world.api.get(project, made[i].id)).state, 'SUSPENDED');
        assert.deepEqual(await reasons(project, made[i].id), ['the window is over']);
      }
      assert.equal((await world.api.get(project, made[1].id)).state, 'REVOKED');
    });

    walk('list: the menu of a task', 'ann', async (page, by, window) => {
      const project = world.who.walks;
      const name = unique('single');
      const { id } = await world.api.task(project, name, tree([act('Wait', 'sleep_timer', hour)]), { start: false });
      await window.go(`taskflow/home/list/${project}/?q=${name}`);
      const menu = page.getByRole('button', { name: `Actions for ${name}` });
      await by.choose(menu, page.getByRole('menuitem', { name: 'Start' }));
      await row(page, name).getByText('Running', { exact: true }).waitFor();
      await world.api.untilNode(project, id, 'Wait', 'RUNNING');
      await by.choose(menu, page.getByRole('menuitem', { name: 'Pause' }));
      await by.fill(dialog(page).getByLabel('Reason'), 'a closer look');
      await by.press(dialog(page).getByRole('button', { name: 'Pause' }));
      await row(page, name).getByText('Paused', { exact: true }).waitFor();
      assert.deepEqual(await reasons(project, id), ['a closer look']);
      await by.press(row(page, name).getByRole('link', { name }));
      await page.getByRole('heading', { name }).waitFor();
      assert.match(page.url(), new RegExp(`instance_id=${id}$`));
    });

    walk('task: commands for the whole of it', 'ann', async (page, by, window) => {
      const project = world.who.walks;
      const name = unique('whole');
      const { id } = await world.api.task(project, name, tree([act('Wait', 'sleep_timer', hour)]), { start: false });
      await window.go(`taskflow/execute/${project}/?instance_id=${id}`);
      const actions = page.locator('.run-actions');
      const state = (word) => page.locator('.run-title .state').getByText(word, { exact: true }).waitFor();
      const command = async (word, reason) => {
        await by.press(actions.getByRole('button', { name: word, exact: true }));
        await dialog(page)
          .getByRole('heading', { name: `${word}: ${name}?` })
          .waitFor();
        if (reason) await by.fill(dialog(page).getByLabel('Reason'), reason);
        await by.press(dialog(page).getByRole('button', { name: word, exact: true }));
        await dialog(page).waitFor({ state: 'detached' });
      };
      await state('Created');
      await command('Start');
      await state('Running');
      await world.api.untilNode(project, id, 'Wait', 'RUNNING');
      await command('Pause', 'lunch');
      await state('Paused');
      await command('Resume', 'back again');
      await state('Running');
      await command('Revoke', 'not needed');
      await state('Revoked');
      assert.equal((await world.api.get(project, id)).state, 'REVOKED');
      assert.deepEqual(await reasons(project, id), ['lunch', 'back again', 'not needed']);
      // The events tell them to people too.
      await by.tab(page.getByRole('tab', { name: 'Events' }));
      for (const reason of ['lunch', 'back again', 'not needed']) await page.getByText(reason).first().waitFor();
    });
  }
}
