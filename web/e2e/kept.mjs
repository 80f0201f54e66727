// What an operator relies on when something odd happens: sentences that name what failed, and what was chosen is still chosen.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { act, par, tree } from './tree.mjs';
import { as, unique, world } from './world.mjs';

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
}
