// The graph of a task: what the filter leaves of it, and the files that are made of it, with the mouse and by keyboard.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { act, tree } from './tree.mjs';
import { as, hand, unique, ways, world } from './world.mjs';

const hostile = '<script>window.pwned=1</script>"]]>&\u202e';

export function graph() {
  for (const way of ways) {
    const walk = (name, run) =>
      test(`${name}, ${way}`, () =>
        as('ann', { viewport: { width: 1920, height: 900 } }, (window, page) => run(page, hand(way, page), window)));

    const open = async (window) => {
      const project = world.who.walks;
      const names = ['One', 'Two', 'Three', 'Four'].map((name) => act(name));
      const flow = [...names, act('Break', 'fail_ctrl_node', { bit: 0, host: 'h' }), act(hostile), act('Six')];
      const { id } = await world.api.task(project, `../${unique('graph')}<b>`, tree(flow));
      await world.api.until(project, id, 'FAILED');
      await window.go(`taskflow/execute/${project}/?instance_id=${id}`);
      return id;
    };
    const card = (page, name) => page.locator('.react-flow__node').filter({ hasText: name });

    walk('graph: only what failed or runs, with what is next to it', async (page, by, window) => {
      await open(window);
      await card(page, 'Three').waitFor();
      await by.press(page.getByRole('checkbox', { name: 'Only failed and running' }));
      await card(page, 'Three').waitFor({ state: 'detached' });
      for (const name of ['Four', 'Break', 'pwned']) await card(page, name).waitFor();
      for (const name of ['One', 'Two', 'Six']) assert.equal(await card(page, name).count(), 0, name);
      // What is searched for is shown too.
      await by.fill(page.getByRole('searchbox', { name: 'Find a node' }), 'Two');
      await card(page, 'Two').waitFor();
      await by.press(page.getByRole('checkbox', { name: 'Only failed and running' }));
      await card(page, 'Three').waitFor();
    });

    walk('graph: exported as SVG and PNG', async (page, by, window) => {
      const id = await open(window);
      await card(page, 'Three').waitFor();
      const file = async (label) => {
        const download = page.waitForEvent('download');
        await by.choose(page.getByRole('button', { name: 'Export' }), page.getByRole('menuitem', { name: label }));
        const got = await download;
        return { name: got.suggestedFilename(), content: readFileSync(await got.path()) };
      };
      const svg = await file('Graph as SVG');
      assert.equal(svg.name, `task-${id}.svg`);
      const told = await page.evaluate((text) => {
        const read = new DOMParser().parseFromString(text, 'image/svg+xml');
        return {
          broken: read.querySelector('parsererror')?.textContent ?? '',
          texts: [...read.querySelectorAll('text')].map((t) => t.textContent),
          kinds: [...new Set([...read.querySelectorAll('*')].map((e) => e.localName))].sort(),
          attributes: [...read.querySelectorAll('*')]
            .flatMap((e) => e.getAttributeNames())
            .filter((n) => /^on|href/.test(n)),
        };
      }, svg.content.toString());
      assert.equal(told.broken, '');
      assert.deepEqual(told.kinds, ['path', 'rect', 'svg', 'text', 'title']);
      assert.deepEqual(told.attributes, []);
      for (const text of ['One', 'Six', 'Break', 'Failed', 'Finished']) assert.ok(told.texts.includes(text), text);
      assert.ok(told.texts.join('').includes('pwned=1'));
      const png = await file('Graph as PNG');
      assert.equal(png.name, `task-${id}.png`);
      assert.equal(png.content.subarray(1, 4).toString(), 'PNG');
      // Twice the size of the SVG.
      const width = Number(/ width="([\d.]+)"/.exec(svg.content.toString())[1]);
      assert.equal(png.content.readUInt32BE(16), Math.ceil(width * 2));
      assert.equal(await page.evaluate(() => window.pwned), undefined);
    });
  }
}
