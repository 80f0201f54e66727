// How long something usually takes, and what decided how long a task took: on the page of a task and on the board.
import assert from 'node:assert/strict';
import { test } from 'node:test';
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
    });
  }
}
