// Small windows, enlarged pages, fingers in place of a pointer, and where the focus goes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from './server.mjs';
import { act, tree } from './tree.mjs';
import { as, unique, world } from './world.mjs';

const indexOf = async (key, name) => {
  const graph = await world.api.graph(world.who.shop, world.shop.ids[key]);
  return graph.nodes.find((n) => n.name === name).index;
};
const task = (key, more = '') => `taskflow/execute/${world.who.shop}/?instance_id=${world.shop.ids[key]}${more}`;
const board = (more = '') => `board/${world.who.shop}/?ids=${world.shop.zones.join(',')}${more}`;
const focused = (page, selector) =>
  page.waitForFunction((selector) => document.activeElement?.matches(selector), selector);

export function care() {
  test('the names on the board are whole at 400 %', () =>
    as('ann', { viewport: { width: 320, height: 256 } }, async (window, page) => {
      await window.go(board());
      const name = page.locator('.board-row a').first();
      await name.waitFor();
      const cut = await name.evaluate((e) => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1);
      assert.equal(cut, false, 'nothing of it is cut');
    }));

  test('nothing of the rows of the board is cut off, however wide the window', () =>
    as('ann', {}, async (window, page) => {
      await window.go(board());
      await page.locator('.board-row').nth(3).waitFor();
      for (const width of [981, 1180, 1181, 1399, 1400]) {
        await page.setViewportSize({ width, height: 700 });
        const over = () =>
          page.locator('.board-row').evaluateAll((all) => Math.max(...all.map((e) => e.scrollWidth - e.clientWidth)));
        await eventually(`room at ${width}`, async () => (await over()) <= 0);
      }
    }));

  for (const language of ['en', 'zh-CN']) {
    test(`the line above the graph is one line beside the drawer, ${language}`, () =>
      as('ann', { language, viewport: { width: 1024, height: 768 } }, async (window, page) => {
        await window.go(task('failed', `&node=${await indexOf('failed', 'Push the files')}`));
        await page.locator('.graph .bar-line [data-search]').fill('s');
        await page.locator('.graph .bar-line [role=status]').waitFor();
        const tops = await page.locator('.graph .bar-line').evaluate((line) => {
          const middles = [...line.children].map((e) => e.getBoundingClientRect()).map((b) => b.top + b.height / 2);
          return Math.max(...middles) - Math.min(...middles);
        });
        assert.ok(tops < 8, `its parts are ${tops} pixels apart`);
        const names = await page.locator('.graph .bar-line').ariaSnapshot();
        for (const name of language === 'en' ? ['Unfold all', 'Fold all', 'Export', 'Fit'] : ['导出']) {
          assert.match(names, new RegExp(`button "${name}"`));
        }
        assert.deepEqual(await window.violations(), []);
      }));
  }

  test('what is chosen looks the same whatever page was open before', () =>
    as('ann', { viewport: { width: 1280, height: 800 } }, async (window, page) => {
      const looks = (selector) =>
        page
          .locator(selector)
          .first()
          .evaluate(async (e) => {
            await Promise.all(e.getAnimations().map((a) => a.finished));
            const { backgroundColor, borderColor, color } = getComputedStyle(e);
            return { backgroundColor, borderColor, color };
          });
      const list = '.views [aria-pressed=true]';
      await window.go(`taskflow/home/list/${world.who.shop}/`);
      await page.locator('.views button').first().click();
      await page.locator(list).waitFor();
      await page.mouse.move(0, 0);
      await page.locator('tr[data-row] [data-open]').first().waitFor();
      const first = await looks(list);
      await page.locator('tr[data-row] [data-open]').first().click();
      await page.locator('.run-title').waitFor();
      await page.mouse.move(0, 0);
      await page.goBack();
      await page.locator(list).waitFor();
      assert.deepEqual(await looks(list), first);
    }));

  test('what a finger can do', () =>
    as('ann', { viewport: { width: 375, height: 740 }, hasTouch: true, isMobile: true }, async (window, page) => {
      await window.go(board('&view=grid'));
      await page.locator('.board-cell .shape').nth(3).waitFor();
      const failed = page.locator('.board-cell.cell-failed').first();
      await failed.tap();
      const here = page.locator('.board-grid-here');
      await here.getByText('Failed').waitFor();
      await here.locator('a').tap();
      await page.locator('dialog.drawer .node-error').waitFor();
      await page.locator('dialog.drawer .dialog-head button').tap();
      await page.locator('dialog.drawer').waitFor({ state: 'detached' });
      await page.locator('.react-flow__node').first().waitFor();
      await window.go(board('&tv=1'));
      const leave = page.locator('.tv-leave');
      await leave.waitFor();
      assert.equal(await leave.evaluate((e) => getComputedStyle(e).opacity), '1', 'it is seen without a pointer');
      await leave.tap();
      await page.locator('dialog.tv').waitFor({ state: 'detached' });
      await window.go(`taskflow/home/list/${world.who.shop}/`);
      await page.locator('tr[data-row] [aria-haspopup=menu]').nth(9).tap(); // it scrolls there first
      await page.locator('[role=menu]').waitFor();
    }));

  test('the focus stays near', () =>
    as('ann', {}, async (window, page) => {
      const { walks } = world.who;
      const name = unique('focus');
      const sleep = act('Sleep', 'sleep_timer', { bk_timing: '3600' });
      const { id } = await world.api.task(walks, name, tree([act('Bad', 'fail_ctrl_node', { bit: 0 }), sleep]));
      await world.api.until(walks, id, 'FAILED');
      const press = async (target) => {
        await target.focus();
        await page.keyboard.press('Enter');
      };
      await window.go(`taskflow/execute/${walks}/?instance_id=${id}`);
      const first = page.getByRole('button', { name: 'First failure' });
      await press(first);
      await focused(page, '.node-drawer h2');
      await page.keyboard.press('Escape');
      await focused(page, '.run-jumps .button:first-of-type');

      await press(first);
      await press(page.locator('.node-actions button').filter({ hasText: 'Skip' }));
      await page.locator('dialog[open]').waitFor();
      await press(page.locator('dialog button').filter({ hasText: 'Skip' }));
      await page.locator('.node-actions button').filter({ hasText: 'Skip' }).waitFor({ state: 'detached' });
      await focused(page, '.node-drawer *');

      // What is done shows before its answer is there: the button is gone while the dialog is open.
      const resume = page.locator('.run-actions button').filter({ hasText: 'Resume' });
      await page.route('**/commands?*', async (route) => {
        const response = await route.fetch();
        await resume.waitFor();
        await route.fulfill({ response });
      });
      await press(page.locator('.run-actions button').filter({ hasText: 'Pause' }));
      await press(page.locator('dialog button').filter({ hasText: 'Pause' }));
      await page.locator('dialog[open]').waitFor({ state: 'detached' });
      await focused(page, '.run-actions .button-primary');

      await window.go(board());
      await page.locator('.board-row input').nth(1).focus();
      await page.keyboard.press('Space');
      await press(page.locator('.board-bulk button').last());
      await focused(page, '.board *');
    }));

  test('how long nothing came is not read out each second', () =>
    as('ann', {}, async (window, page) => {
      await window.go(board());
      await page.locator('.feed-live').waitFor();
      assert.equal(await page.locator('.feed').evaluate((e) => e.closest('[role=status], [aria-live]')), null);
    }));
}
