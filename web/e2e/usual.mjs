// How long something usually takes, and what decided how long a task took: on the page of a task and on the board.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { everyLook } from './browser.mjs';
import { eventually } from './server.mjs';
import { act, par, sub, tree } from './tree.mjs';
import { as, hand, unique, ways, world } from './world.mjs';

const second = { bk_timing: '1' };

/** Tasks of one tree that finished, and one that waits, longer than those took. */
async function tasksOf(project, prefix, finished) {
  const flow = tree([
    act('Check the disk'),
    par('both sites', [
      [sub('Restart', [act('Drain'), act('Start again', 'sleep_timer', second)])],
      [act('Tell the team')],
    ]),
    act('Approve', 'callback_node'),
    // So that no two tests share a tree.
    act(prefix),
  ]);
  const { api } = world;
  for (let i = 0; i < finished; i++) {
    const task = await api.task(project, `${prefix} ${i}`, flow);
    await api.untilNode(project, task.id, 'Approve', 'RUNNING', 'waiting');
    await api.do(project, task.id, 'callback', { node: 'Approve', data: { bit: 1 } });
    await api.until(project, task.id, 'FINISHED');
  }
  const last = await api.task(project, `${prefix} last`, flow);
  await api.untilNode(project, last.id, 'Approve', 'RUNNING', 'waiting');
  return last.id;
}

const seen = (window, page, name) =>
  everyLook(window, page, name, async () => {
    assert.equal(await page.locator('.tasks-updated').first().isVisible(), false, 'on a phone there is no room for it');
  });

export function usual() {
  for (const way of ways) {
    const walk = (name, run) =>
      test(`${name}, ${way}`, () => as('vic', {}, (window, page) => run(page, hand(way, page), window)));

    walk('timeline: what is usual, and the critical path', async (page, by, window) => {
      const project = world.who.walks;
      const id = await tasksOf(project, unique('usual'), 3);
      await window.go(`taskflow/execute/${project}/?instance_id=${id}&tab=timeline`);
      const lane = (name) => page.locator('.time-open').filter({ hasText: name });
      await page.locator('.time-open[aria-label*="usually 1 s"]').filter({ hasText: 'Start again' }).waitFor();
      await page.getByText('longer than usual').waitFor();
      assert.equal((await page.locator('.time-lane .time-usual').count()) > 0, true, 'marks of what is usual');

      const toggle = page.getByRole('button', { name: 'Critical path', exact: true });
      assert.equal(await toggle.getAttribute('aria-pressed'), 'false');
      await by.press(toggle);
      await page.getByText('4 steps decide how long it takes').waitFor();
      assert.equal(await toggle.getAttribute('aria-pressed'), 'true');
      for (const [name, on] of [
        ['Check the disk', true],
        ['Restart', true],
        ['Start again', true],
        ['Approve', true],
        ['Tell the team', false],
      ]) {
        assert.equal((await lane(name).getAttribute('aria-label')).includes('on the critical path'), on, name);
      }
      assert.deepEqual(await window.violations(), [], 'light');
      await page.emulateMedia({ colorScheme: 'dark' });
      assert.deepEqual(await window.violations(['color-contrast']), [], 'dark');
      await page.setViewportSize({ width: 360, height: 740 });
      assert.equal(await window.overflow(), 0, 'nothing is wider than a phone');
      await page.keyboard.press('c');
      await page.getByText('decide how long it takes').waitFor({ state: 'detached' });
      assert.equal(await toggle.getAttribute('aria-pressed'), 'false');
    });

    walk('list: what takes longer than usual', async (page, by, window) => {
      const project = world.who.walks;
      const prefix = unique('late');
      const id = await tasksOf(project, prefix, 3);
      const few = await tasksOf(project, `${prefix}few`, 2);
      const row = (task) => page.locator(`tr[data-row="${task}"]`);
      await window.go(`taskflow/home/list/${project}/`);
      await by.press(page.getByRole('button', { name: 'Slower than usual', exact: true }));
      await row(id).getByText('usually 1 s').waitFor();
      assert.equal(await row(few).count(), 0, 'of two nothing is said');
      await by.fill(page.getByRole('combobox', { name: 'Which tasks' }), `is:slow ${prefix}`);
      await page.getByText('1 task shown').waitFor();
      await page.getByRole('button', { name: 'Take out is:slow' }).waitFor();
      // The box is patient, and until an answer is there the list before shows.
      await page.waitForURL((url) => url.searchParams.get('q') === `is:slow ${prefix}`);
      await page.locator('.tasks-panel[aria-busy="false"]').waitFor();
      assert.match(await row(id).locator('.known-end').getAttribute('title'), /3/);
      await row(id).locator('.tasks-updated time').waitFor();
      await seen(window, page, 'tasks-slow');

      const { api } = world;
      if (way === 'mouse') {
        // Of one that time alone makes slow nobody tells: it is looked for, which takes half a minute.
        const again = await tasksOf(project, prefix, 0);
        await page.getByRole('button', { name: '1 changed – show' }).waitFor();
        assert.equal(await row(again).count(), 0, 'what is shown keeps its place');
        await by.press(page.getByRole('button', { name: '1 changed – show' }));
        await row(again).getByText('usually 1 s').waitFor();
      }
      // One that ends is followed to its end, and leaves.
      await api.do(project, id, 'callback', { node: 'Approve', data: { bit: 1 } });
      await row(id).getByText('not in this list any more').waitFor();
      await row(id).getByText('Finished').waitFor();
      await by.press(page.getByRole('button', { name: 'Take out is:slow' }));
      await row(few).waitFor();
      assert.equal(await page.locator('tr[data-row] .known-end').count(), 0, 'elsewhere nothing is marked');
    });

    walk('board: when tasks end as usual', async (page, _by, window) => {
      const project = world.who.walks;
      const prefix = unique('ending');
      const few = await tasksOf(project, `${prefix}few`, 2);
      const id = await tasksOf(project, prefix, 3);
      await window.go(`board/${project}/?ids=${few},${id}`);
      await page.locator('.expected-all').getByText('1 takes longer than usual').waitFor();
      await page.locator('.expected-all').getByText('known of 1 of 2').waitFor();
      await page.locator(`[data-task="${id}"]`).getByText('longer than usual').waitFor();
      assert.equal(await page.locator(`[data-task="${few}"] .known-end`).count(), 0, 'of two nothing is said');
      await window.go(`board/${project}/?ids=${few},${id}&tv=1`);
      await page.locator('dialog.tv .expected-all').getByText('1 takes longer than usual').waitFor();
      await window.go(`board/${project}/?ids=${few},${id}`);
      const changed = page.locator(`[data-task="${id}"] .board-row-changed`);
      assert.equal(await changed.isVisible(), false, 'there is no room for the last change');
      await page.setViewportSize({ width: 1440, height: 800 });
      await changed.getByText('last change').waitFor();
      assert.deepEqual(await window.violations(), []);
      if (process.env.SCREENSHOTS) await page.screenshot({ path: join(process.env.SCREENSHOTS, 'board-wide.png') });
      const at = () => changed.locator('time').getAttribute('datetime');
      const before = await at();
      await world.api.do(project, id, 'pause');
      await eventually('a later change', async () => Date.parse(await at()) > Date.parse(before));
    });
  }
}
