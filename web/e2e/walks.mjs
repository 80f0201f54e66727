// The walks: each screen is used once with the mouse and once with the keyboard alone, and what came of it is asked of the
// API too.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openGate, script } from './seed.mjs';
import { eventually } from './server.mjs';
import { act, par, sub, tree } from './tree.mjs';
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
      const asked = [];
      page.on('request', (r) => asked.push(...(r.url().match(/(?<=\/api\/v1\/)(me|session)$/) ?? []).slice(0, 1)));
      await window.go('');
      await page.getByRole('heading', { name: 'Projects' }).waitFor();
      await page.getByRole('link', { name: /walks/ }).waitFor();
      assert.equal(await page.locator('main li').count(), 2, 'only those that may be seen');
      assert.deepEqual(asked, ['session'], 'who it is, is asked once');
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

    const openTask = (window, id, more = '') =>
      window.go(`taskflow/execute/${world.who.walks}/?instance_id=${id}${more}`);
    const drawer = (page, name) => page.getByRole('complementary', { name });
    const broken = (inputs = { bit: 0, host: 'web-01' }) => [
      act('Prepare'),
      act('Break', 'fail_ctrl_node', inputs),
      act('Clean up'),
    ];

    walk('node: first failure, retry with changed inputs', 'ann', async (page, by, window) => {
      const project = world.who.walks;
      const { id } = await world.api.task(project, unique('retry'), tree(broken()));
      await world.api.until(project, id, 'FAILED');
      await openTask(window, id);
      await by.press(page.getByRole('button', { name: 'First failure' }));
      const node = drawer(page, 'Break');
      await by.press(node.getByRole('button', { name: 'Retry with changed inputs' }));
      await by.fill(dialog(page).getByLabel('Value of bit'), '1');
      await by.press(dialog(page).getByRole('button', { name: 'Show what changes' }));
      // Nothing runs before the changes were seen.
      const diff = dialog(page).getByRole('region', { name: 'bit' });
      assert.equal(await diff.locator('.diff-old').textContent(), '-before:0');
      assert.equal(await diff.locator('.diff-new').textContent(), '+after:1');
      assert.equal(await dialog(page).locator('.diff').count(), 1, 'what stays the same is not shown');
      assert.equal((await world.api.get(project, id)).state, 'FAILED');
      await by.fill(dialog(page).getByLabel('Reason'), 'the disk was full');
      await by.press(dialog(page).getByRole('button', { name: 'Retry', exact: true }));

      await world.api.until(project, id, 'FINISHED');
      // The new inputs and the retry are an event each.
      assert.deepEqual(await reasons(project, id), ['the disk was full', 'the disk was full']);
      await node.locator('.node-state').getByText('Finished').waitFor();
      const states = await world.api.states(project, id);
      assert.equal(states.find((n) => n.retry > 0).retry, 1);
      // The attempt before is kept.
      await by.select(node.getByLabel('Attempt'), '1 · Failed');
      await node.locator('.node-state').getByText('Failed').waitFor();
    });

    walk('node: skip', 'ann', async (page, by, window) => {
      const project = world.who.walks;
      const { id } = await world.api.task(project, unique('skip'), tree(broken()));
      await world.api.until(project, id, 'FAILED');
      await openTask(window, id);
      await by.press(page.getByRole('button', { name: 'First failure' }));
      await by.press(drawer(page, 'Break').getByRole('button', { name: 'Skip' }));
      await by.fill(dialog(page).getByLabel('Reason'), 'done by hand');
      await by.press(dialog(page).getByRole('button', { name: 'Skip' }));
      await world.api.until(project, id, 'FINISHED');
      await page.locator('.run-title .state').getByText('Finished').waitFor();
      assert.deepEqual(await reasons(project, id), ['done by hand']);
      assert.equal((await world.api.states(project, id)).filter((n) => n.skipped).length, 1);
    });

    walk('node: callback', 'ann', async (page, by, window) => {
      const project = world.who.walks;
      const { id } = await world.api.task(project, unique('call'), tree([act('Ask outside', 'callback_node')]));
      await world.api.untilNode(project, id, 'Ask outside', 'RUNNING', 'waiting');
      await openTask(window, id);
      await by.press(page.locator('.run-phase').getByRole('button', { name: 'Ask outside' }));
      await by.press(drawer(page, 'Ask outside').getByRole('button', { name: 'Send callback' }));
      await by.fill(dialog(page).getByLabel('Data (JSON)'), '{"bit": ');
      await by.press(dialog(page).getByRole('button', { name: 'Send callback' }));
      await dialog(page).getByText('This is no JSON').waitFor();
      await by.fill(dialog(page).getByLabel('Data (JSON)'), '{"bit": 1}');
      await by.fill(dialog(page).getByLabel('Reason'), 'they rang back');
      await by.press(dialog(page).getByRole('button', { name: 'Send callback' }));
      await world.api.until(project, id, 'FINISHED');
      await page.locator('.run-title .state').getByText('Finished').waitFor();
      assert.deepEqual(await reasons(project, id), ['they rang back']);
    });

    walk('node: when it came how far, and who drives it', 'ann', async (page, by, window) => {
      const project = world.who.walks;
      const limit = { timeout_config: { enable: true, seconds: 7200, action: 'forced_fail' } };
      const flow = [
        par('both', [[act('Ask outside', 'callback_node', {}, limit)], [act('Wait', 'sleep_timer', hour)]]),
        act('Last'),
      ];
      const { id } = await world.api.task(project, unique('times'), tree(flow));
      await world.api.untilNode(project, id, 'Ask outside', 'RUNNING', 'waiting');
      await world.api.untilNode(project, id, 'Wait', 'RUNNING', 'waiting');
      await openTask(window, id);
      await by.tab(page.getByRole('tab', { name: 'Nodes' }));
      const open = (name) => by.press(page.getByRole('table', { name: 'Nodes' }).getByRole('button', { name }));
      const fact = (name, label) =>
        drawer(page, name)
          .locator('.node-facts dl > div')
          .filter({ has: page.getByText(label, { exact: true }) });
      const moment = (of) => of.locator('time').first().getAttribute('datetime');
      await open('Wait');
      const wait = (await world.api.states(project, id)).find((n) => n.phase === 'waiting' && n.due_at);
      assert.equal(await moment(fact('Wait', 'Timer ends')), wait.due_at);
      await fact('Wait', 'Driven by').getByText(`process ${world.server.pid}`, { exact: true }).waitFor();

      await open('Ask outside');
      const started = await moment(fact('Ask outside', 'Started'));
      const limited = await moment(fact('Ask outside', 'Time limit'));
      assert.equal(Date.parse(limited) - Date.parse(started), 7_200_000);
      await world.api.do(project, id, 'force-fail', { node: 'Ask outside' });
      await fact('Ask outside', 'Ended')
        .getByText(/^failed for /)
        .waitFor();
      await world.api.do(project, id, 'retry', { node: 'Ask outside' });
      await world.api.untilNode(project, id, 'Ask outside', 'RUNNING', 'waiting');
      const retried = await moment(fact('Ask outside', 'Retried'));
      await world.api.do(project, id, 'callback', { node: 'Ask outside', data: { bit: 1 } });
      await fact('Ask outside', 'Called back')
        .getByText(/ after its start$/)
        .waitFor();
      await fact('Ask outside', 'Ended')
        .getByText(/ in all$/)
        .waitFor();
      // How long the first attempt stood failed is kept.
      await by.select(drawer(page, 'Ask outside').getByLabel('Attempt'), '1 · Failed');
      const left = fact('Ask outside', 'Retried or skipped');
      await left.getByText(/^failed for /).waitFor();
      assert.equal(await moment(left), retried);

      // Who drives what has ended nobody asks.
      await world.api.do(project, id, 'force-fail', { node: 'Wait' });
      await open('Last');
      await fact('Last', 'Driven by').waitFor();
      await world.api.do(project, id, 'revoke');
      await fact('Last', 'Driven by').waitFor({ state: 'detached' });
      await fact('Last', 'Node id').waitFor();
    });

    walk('node: the end of a log, and what comes', 'ann', async (page, by, window) => {
      const project = world.who.walks;
      const gate = join(world.server.dir, unique('gate'));
      const { id } = await world.api.task(project, unique('log'), tree([script(3000, gate)]));
      await world.api.untilNode(project, id, 'Send the files', 'RUNNING');
      await openTask(window, id);
      await by.press(page.locator('.run-phase').getByRole('button', { name: 'Send the files' }));
      const log = drawer(page, 'Send the files').getByRole('region', { name: 'Log' });
      const line = (text) => page.locator('.log-line').filter({ hasText: text });
      await line('file 3000 of 3000 sent').waitFor();
      await line('one file was there already').waitFor();
      assert.equal(await line('file 1 of 3000 sent').count(), 0, 'the beginning is not loaded');
      await page.getByText('Following', { exact: true }).waitFor();
      openGate(gate);
      await line('the gate is open').waitFor();
      await page.getByText('Log ended').waitFor();
      assert.ok((await log.count()) > 0);
      // What is found lies far before what is loaded; the address names its line (the first one is of the plugin).
      await by.fill(page.getByRole('searchbox', { name: 'Search the log' }), 'FILE 17 of');
      await page.getByText('1 of 1 line').waitFor();
      await page.locator('.log-hit').filter({ hasText: 'file 17 of 3000 sent' }).waitFor();
      assert.match(page.url(), /[?&]log=1\.18(&|$)/);
      const numberOf = (n) => page.getByRole('button', { name: `Line ${n}: keep it in the address` });
      if (way === 'mouse') await numberOf(19).click();
      else {
        await by.reach(numberOf(18));
        await page.keyboard.press('ArrowDown');
        await page.keyboard.press('Enter');
      }
      await page.waitForURL(/[?&]log=1\.19(&|$)/);
      await page.reload();
      await page.locator('.log-hit').filter({ hasText: 'file 18 of 3000 sent' }).waitFor();
      await page.getByText('Log ended').waitFor();
      // When lines were written stands beside them, here and in the large log, and is not copied with them.
      assert.equal(await page.locator('.log-time').count(), 0);
      await by.press(page.getByRole('checkbox', { name: 'Times' }));
      const timed = page.locator('.log-hit');
      assert.match(await timed.locator('time').textContent(), /^(\d\d-\d\d )?\d\d:\d\d:\d\d$/);
      assert.match(await timed.locator('time').getAttribute('title'), /\n\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      const copied = await timed.evaluate((row) => {
        getSelection().selectAllChildren(row);
        return getSelection().toString();
      });
      assert.match(copied.trim(), /^2026-01-01 10:00:00 host \S+ file 18 of 3000 sent$/);
      await by.press(page.getByRole('button', { name: 'Show the log large' }));
      await dialog(page).getByText('Log ended').waitFor();
      await by.press(dialog(page).getByRole('button', { name: 'Jump to newest' }));
      const at = async (text) => Date.parse(await line(text).locator('time').getAttribute('datetime'));
      const [sent, opened] = [await at('file 3000 of 3000 sent'), await at('the gate is open')];
      const node = await world.api.untilNode(project, id, 'Send the files', 'FINISHED');
      const times = [Date.parse(node.started_at), sent, opened, Date.parse(node.finished_at)];
      assert.deepEqual(times, times.toSorted(), `it began, wrote and ended at ${times}`);
      assert.ok(sent < opened, 'what came after the gate was open is later');
      await page.keyboard.press('Escape');
      await dialog(page).waitFor({ state: 'detached' });
    });

    walk('task: its views', 'ann', async (page, by, window) => {
      const project = world.who.walks;
      const flow = [
        act('Prepare'),
        par('all', [[act('Send to the north')], [act('Send to the south')]]),
        sub('Restart', [act('Stop it'), act('Start it')]),
      ];
      const { id } = await world.api.task(project, unique('views'), tree(flow));
      await world.api.until(project, id, 'FINISHED');
      await openTask(window, id);
      const close = async (name) => {
        await by.press(drawer(page, name).getByRole('button', { name: 'Close the node' }));
        await drawer(page, name).waitFor({ state: 'detached' });
      };
      // Graph: find a node, then open it where it is.
      await by.fill(page.getByRole('searchbox', { name: 'Find a node' }), 'south');
      await page.getByText('1 of 1').waitFor();
      if (way === 'mouse') await page.locator('.react-flow__node').filter({ hasText: 'Send to the south' }).click();
      else {
        await page.keyboard.press('Enter'); // goes there at once, and not only when typing has paused
        await by.reach(page.getByRole('application', { name: 'Graph of the task' }));
        await page.keyboard.press('Enter');
      }
      await close('Send to the south');
      // Outline.
      const outline = page.getByRole('tree', { name: 'Outline' });
      if (way === 'mouse') await outline.getByRole('treeitem', { name: /^Prepare/ }).click();
      else {
        await by.reach(outline);
        await page.keyboard.press('Home');
        await page.keyboard.press('Enter');
      }
      await close('Prepare');
      await by.tab(page.getByRole('tab', { name: 'Timeline' }));
      const lane = page.locator('.time-open').filter({ hasText: 'Prepare' });
      await by.press(lane);
      await close('Prepare');
      await by.tab(page.getByRole('tab', { name: 'Nodes' }));
      await by.fill(page.getByRole('searchbox', { name: 'Filter by name or plugin' }), 'start it');
      await page.getByText(/^1 of \d+ nodes$/).waitFor();
      await by.press(page.getByRole('table', { name: 'Nodes' }).getByRole('button', { name: 'Start it' }));
      await close('Start it');
      await by.select(page.getByLabel('State', { exact: true }), 'Failed');
      await page.getByText('No node is like this.').waitFor();
      await by.press(page.getByRole('button', { name: 'Show all' }));
      await by.tab(page.getByRole('tab', { name: 'Events' }));
      await page.locator('.event-change').first().waitFor();
    });

    walk('board: paste, retry in all with verdicts, missing ids', 'ann', async (page, by, window) => {
      const project = world.who.walks;
      const word = unique('batch');
      const gate = join(world.server.dir, unique('gate'));
      const failing = tree([act('Prepare'), act('Copy it', 'shell_script', { script: `[ -e '${gate}' ]` })]);
      const made = [];
      for (let i = 0; i < 3; i++) made.push((await world.api.task(project, `${word} ${i}`, failing)).id);
      const waits = tree([act('Wait', 'sleep_timer', hour)]);
      for (let i = 3; i < 5; i++) made.push((await world.api.task(project, `${word} ${i}`, waits)).id);
      for (const id of made.slice(0, 3)) await world.api.until(project, id, 'FAILED');
      for (const id of made.slice(3)) await world.api.untilNode(project, id, 'Wait', 'RUNNING');

      await window.go(`board/${project}/`);
      await by.fill(page.getByLabel('Ids of tasks'), `${made.join(', ')}, 999999\nwhatever`);
      await page.getByText('6 ids').waitFor();
      await page.getByText('1 piece not understood:').waitFor();
      await by.press(page.getByRole('button', { name: 'Show 6 tasks' }));
      const totals = page.locator('.board-totals');
      await totals.getByRole('button', { name: /Failed\s*3/ }).waitFor();
      const missing = page.getByRole('region', { name: '1 id needs a look' });
      await missing.getByText('999999').waitFor();
      await missing.getByText('This project has no such task.').waitFor();

      const failed = page.getByRole('region', { name: 'Failed nodes' });
      await failed.getByText('failed in 3 of 3').waitFor();
      await by.press(failed.getByRole('button', { name: /Copy it/ }));
      await page.getByText('3 of 5 tasks').waitFor();
      await by.press(page.getByRole('button', { name: 'Clear filters' }));
      await by.press(failed.getByRole('button', { name: 'Retry in all 3' }));
      await dialog(page).getByRole('heading', { name: 'Retry Copy it in 3 tasks?' }).waitFor();
      // It comes too late for one of them, and succeeds in the others.
      await world.api.do(project, made[1], 'revoke', { reason: 'meanwhile' });
      openGate(gate);
      await by.fill(dialog(page).getByLabel('Reason'), 'the share is back');
      await by.press(dialog(page).getByRole('button', { name: 'Retry in 3 tasks' }));
      await dialog(page).getByRole('heading', { name: 'Retry: 2 of 3 done' }).waitFor();
      const refused = dialog(page).locator('.board-outcome li').first();
      assert.match(await refused.textContent(), new RegExp(`${word} 1.*conflict`));
      await by.press(dialog(page).locator('.dialog-foot').getByRole('button', { name: 'Close' }));
      for (const i of [0, 2]) {
        await world.api.until(project, made[i], 'FINISHED');
        assert.deepEqual(await reasons(project, made[i]), ['the share is back']);
      }
      await totals.getByRole('button', { name: /Finished\s*2/ }).waitFor();
      await failed.getByText('No node has failed.').waitFor();

      // Chosen ones are paused together.
      for (const i of [3, 4]) await by.press(page.getByRole('checkbox', { name: `Select ${word} ${i}` }));
      await by.press(page.locator('.board-bulk').getByRole('button', { name: /^Pause/ }));
      await by.fill(dialog(page).getByLabel('Reason'), 'until tomorrow');
      await by.press(dialog(page).getByRole('button', { name: 'Pause in 2 tasks' }));
      await totals.getByRole('button', { name: /Paused\s*2/ }).waitFor();
      for (const i of [3, 4]) assert.deepEqual(await reasons(project, made[i]), ['until tomorrow']);

      await by.press(page.getByRole('group', { name: 'View' }).getByRole('button', { name: 'Grid' }));
      await page.getByRole('grid', { name: 'Tasks by nodes' }).waitFor();
      await by.press(page.getByRole('button', { name: 'Change ids' }));
      await by.fill(dialog(page).getByLabel('Ids of tasks'), String(made[0]));
      await by.press(dialog(page).getByRole('button', { name: 'Show 1 task' }));
      await eventually('the other list', () => page.url().includes(`ids=${made[0]}`));
    });

    walk('start: a task of a flow', 'ann', async (page, by, window) => {
      const project = world.who.walks;
      const flow = unique('greet');
      const file = join(world.server.dir, `${flow}.json`);
      const host = { key: '${host}', name: 'Host', desc: 'who is greeted', value: 'web-01', index: 0 };
      const kind = { custom_type: 'input', source_type: 'custom', source_tag: 'input.input', source_info: {} };
      const constants = {
        '${host}': { ...host, ...kind, show_type: 'show', validation: '^web-\\d+$', version: 'legacy' },
      };
      writeFileSync(
        file,
        JSON.stringify(tree([act('Greet', 'bk_display', { bk_display_message: 'hello ${host}' })], constants)),
      );
      world.server.cli('flow', 'create', '-f', file, '--name', flow, '--project', String(project));
      await window.go(`start/${project}/`);
      await by.fill(page.getByRole('searchbox', { name: 'Find a flow by its name' }), flow);
      await by.press(page.getByRole('button', { name: flow }));
      const name = unique('greeting');
      await by.fill(page.getByLabel('Name of the task'), name);
      await by.fill(page.getByLabel('Host'), 'db-01');
      await by.press(page.getByRole('button', { name: 'Start', exact: true }));
      await page.getByText('This has to match').waitFor();
      await by.fill(page.getByLabel('Host'), 'web-07');
      await by.press(page.getByRole('button', { name: 'Start', exact: true }));
      // It leads to the task.
      await page.getByRole('heading', { name }).waitFor();
      const id = Number(new URL(page.url()).searchParams.get('instance_id'));
      const task = await world.api.until(project, id, 'FINISHED');
      assert.equal(task.name, name);
      const graph = await world.api.graph(project, id);
      const { index } = graph.nodes.find((n) => n.name === 'Greet');
      const node = (await world.api.states(project, id)).find((n) => n.index === index).id;
      const detail = await world.api.call('GET', `projects/${project}/tasks/${id}/nodes/${node}`);
      assert.equal(detail.inputs.bk_display_message, 'hello web-07');
      await page.locator('.run-title .state').getByText('Finished').waitFor();
    });
  }
  keys();
}

// What single keys do; the walks use Tab, Enter and arrows only.
function keys() {
  test('keys of all screens', () =>
    as('ann', {}, async (window, page) => {
      const project = world.who.walks;
      const word = unique('keys');
      const made = [];
      for (const bit of [1, 0]) {
        const flow = [act('Break', 'fail_ctrl_node', { bit }), act('Wait', 'sleep_timer', hour)];
        made.push((await world.api.task(project, `${word} ${bit}`, tree(flow))).id);
      }
      await world.api.untilNode(project, made[0], 'Wait', 'RUNNING');
      await world.api.until(project, made[1], 'FAILED');
      const press = (...all) =>
        all.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
      const heading = (name) => page.getByRole('heading', { name, exact: true }).waitFor();

      await window.go(`taskflow/home/list/${project}/?q=${word}`);
      await page.getByText('2 tasks shown').waitFor();
      await press('Shift+?');
      await dialog(page).getByRole('heading', { name: 'Keyboard' }).waitFor();
      await press('Escape');
      await dialog(page).waitFor({ state: 'detached' });
      await press('/');
      assert.ok(
        await page.getByRole('combobox', { name: 'Which tasks' }).evaluate((el) => el === document.activeElement),
      );
      await press('Escape', 'j', 'x', 'j', 'x');
      await page.getByText('2 selected').waitFor();
      await press('Shift+P');
      await heading('Pause 2 tasks?');
      await press('Escape');
      await dialog(page).waitFor({ state: 'detached' });
      await press('Escape');
      await page.getByText('2 selected').waitFor({ state: 'detached' });
      await press('k', 'm');
      await page.getByRole('menu').waitFor();
      await press('Escape');
      await page.getByRole('menu').waitFor({ state: 'detached' });
      await press('g', 's');
      await heading('Start a task');
      await page.getByRole('searchbox').or(page.locator('.empty')).first().waitFor();
      await page.locator('#main').focus();
      await press('g', 'b');
      await page.getByLabel('Ids of tasks').waitFor();
      await page.locator('#main').focus();
      await press('g', 't');
      await heading('Tasks');

      await window.go(`taskflow/home/list/${project}/?q=${word}`);
      await row(page, `${word} 0`).waitFor();
      await press('j', 'Enter');
      await heading(`${word} 0`);
      await page.getByRole('tree').waitFor();
      await press('f');
      await page
        .getByRole('complementary', { name: 'Break' })
        .getByRole('button', { name: 'Retry', exact: true })
        .waitFor();
      await press('Shift+R');
      await heading('Retry');
      await press('Escape');
      await dialog(page).waitFor({ state: 'detached' });
      await press('Shift+S');
      await heading('Skip');
      await press('Escape');
      await dialog(page).waitFor({ state: 'detached' });
      await press('Escape');
      await page.getByRole('complementary', { name: 'Break' }).waitFor({ state: 'detached' });
      await press(']');
      await page.getByRole('complementary', { name: 'Break' }).waitFor();
      // Escape closes what is open, one after the other, and then goes back to the list as it was left.
      await press('Shift+?');
      await dialog(page).getByText('Back to the list, as it was left').waitFor();
      await press('Escape');
      await dialog(page).waitFor({ state: 'detached' });
      const find = page.getByRole('searchbox', { name: 'Find a node' });
      await press('/', 'n', 'Escape');
      await eventually('nothing is searched for', async () => (await find.inputValue()) === '');
      await page.getByRole('complementary', { name: 'Break' }).waitFor();
      await press('Escape');
      await page.getByRole('complementary', { name: 'Break' }).waitFor({ state: 'detached' });
      await press('Escape');
      await row(page, `${word} 0`).waitFor();
      assert.equal(new URL(page.url()).search, `?q=${word}`);
      await eventually('the focus is back', () =>
        row(page, `${word} 0`).evaluate((e) => e.contains(document.activeElement)),
      );

      await window.go(`board/${project}/?ids=${made.join(',')}`);
      await page.locator('.board-row').nth(1).waitFor();
      await press('j', 'x');
      await page.getByText('1 selected:').waitFor();
      await press('v');
      await page.getByRole('grid', { name: 'Tasks by nodes' }).waitFor();
      await press('v');
      await page.locator('.board-row').nth(1).waitFor();
      await press('Escape', 'j');
      await press('Enter');
      await heading(new RegExp(word));
      assert.equal(await page.locator('[data-task]').count(), 0);
    }));
}
