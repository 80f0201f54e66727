// Each screen and state of a screen once: by axe in both themes, wide and narrow; in Chinese; and its picture.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { as, world } from './world.mjs';

const wide = { width: 1280, height: 800 };
const narrow = { width: 375, height: 760 };

const task = (key, more = '') => `taskflow/execute/${world.who.shop}/?instance_id=${world.shop.ids[key] ?? key}${more}`;
const board = (more = '') => {
  const { failed, waiting, paused, created } = world.shop.ids;
  return `board/${world.who.shop}/?ids=${[...world.shop.zones, failed, waiting, paused, created].join(',')}${more}`;
};

/** The index of a node of a task, by its name. */
async function indexOf(key, name) {
  const graph = await world.api.graph(world.who.shop, world.shop.ids[key]);
  return graph.nodes.find((n) => n.name === name).index;
}

// The graph is there once its nodes are; those that can be read are elements, the others are painted.
export const painted = async (page) => {
  await page.locator('.react-flow__node').first().waitFor();
};

// A screen: who looks at it, where it is, what tells that it is there, and what is done to get to it.
export const screens = [
  { name: 'sign-in', path: () => 'login', ready: (p) => p.locator('input[name=token]') },
  {
    name: 'sign-in-link',
    path: () => `login/${world.who.link('ann')}`,
    ready: (p) => p.locator('form button[type=submit]'),
  },
  {
    name: 'sign-in-spent',
    path: () => `login/${'0'.repeat(64)}`,
    ready: (p) => p.locator('.signin-box a'),
    allow: /410/,
  },
  { name: 'projects', who: 'ann', path: () => '', ready: (p) => p.locator('main li').first() },
  { name: 'no-projects', who: 'nobody', path: () => '', ready: (p) => p.locator('main .empty') },
  {
    name: 'tasks',
    who: 'ann',
    path: () => `taskflow/home/list/${world.who.shop}/`,
    ready: (p) => p.locator('tr[data-row]').first(),
  },
  {
    name: 'tasks-selected',
    who: 'ann',
    path: () => `taskflow/home/list/${world.who.shop}/?q=zone`,
    ready: (p) => p.locator('tr[data-row]').nth(20),
    finish: async (p) => {
      await p.locator('tr[data-row] input').nth(1).click();
      await p.locator('tr[data-row] input').nth(2).click();
      await p.locator('.bulk').waitFor();
    },
  },
  {
    name: 'tasks-none-found',
    who: 'ann',
    path: () => `taskflow/home/list/${world.who.shop}/?q=nothing-is-like-this`,
    ready: (p) => p.locator('.empty'),
  },
  {
    name: 'tasks-menu',
    who: 'ann',
    path: () => `taskflow/home/list/${world.who.shop}/`,
    ready: (p) => p.locator('tr[data-row]').first(),
    finish: async (p) => {
      await p.locator('tr[data-row] [aria-haspopup=menu]').first().click();
      await p.locator('[role=menu]').waitFor();
    },
  },
  {
    name: 'task-graph',
    who: 'ann',
    path: () => task('failed'),
    ready: (p) => p.locator('.graph-area'),
    finish: painted,
  },
  {
    name: 'task-timeline',
    who: 'ann',
    path: () => task('failed', '&tab=timeline'),
    ready: (p) => p.locator('.time-lane').nth(2),
  },
  {
    name: 'task-nodes',
    who: 'ann',
    path: () => task('failed', '&tab=nodes'),
    ready: (p) => p.locator('.grid-line').nth(3),
  },
  {
    name: 'task-events',
    who: 'ann',
    path: () => task('paused', '&tab=events'),
    ready: (p) => p.getByText('the switch is being replaced').first(),
  },
  {
    name: 'task-node',
    who: 'ann',
    path: async () => task('failed', `&node=${await indexOf('failed', 'Push the files')}`),
    ready: (p) => p.locator('.node-error'),
    finish: painted,
  },
  {
    name: 'task-log',
    who: 'ann',
    path: async () => task('log', `&node=${await indexOf('log', 'Send the files')}`),
    ready: (p) => p.locator('.log-line').filter({ hasText: 'one file was there already' }),
    finish: painted,
  },
  {
    name: 'task-retry',
    who: 'ann',
    path: async () => task('failed', `&node=${await indexOf('failed', 'Push the files')}`),
    ready: (p) => p.locator('.node-actions'),
    finish: async (p) => {
      await p
        .locator('.node-actions button')
        .filter({ hasText: /changed inputs|修改输入/ })
        .click();
      await p.locator('dialog textarea').first().waitFor();
    },
  },
  {
    name: 'task-waits',
    who: 'ann',
    path: async () => task('waiting', `&node=${await indexOf('waiting', 'Bring it back')}`),
    ready: (p) => p.locator('.node-actions'),
    finish: painted,
  },
  { name: 'task-big', who: 'ann', path: () => task('big'), ready: (p) => p.locator('.graph-area'), finish: painted },
  {
    name: 'task-parent',
    who: 'ann',
    path: () => task('parent'),
    ready: (p) => p.locator('.run-children a').first(),
    finish: painted,
  },
  {
    name: 'task-pause',
    who: 'ann',
    path: () => task('running'),
    ready: (p) => p.locator('.graph-area'),
    finish: async (p) => {
      await p.keyboard.press('Shift+P');
      await p.locator('dialog input').waitFor();
    },
  },
  { name: 'task-missing', who: 'ann', path: () => task('999999'), ready: (p) => p.locator('.error-box'), allow: /404/ },
  { name: 'board-begin', who: 'ann', path: () => `board/${world.who.shop}/`, ready: (p) => p.locator('textarea') },
  { name: 'board', who: 'ann', path: () => board(',999999'), ready: (p) => p.locator('.board-row').nth(5) },
  {
    name: 'board-grid',
    who: 'ann',
    path: () => board('&view=grid'),
    ready: (p) => p.locator('.board-cell .shape').nth(10),
  },
  {
    name: 'palette',
    who: 'ann',
    path: () => task('failed'),
    ready: (p) => p.locator('.graph-area'),
    finish: async (p) => {
      await p.keyboard.press('ControlOrMeta+k');
      await p.locator('dialog [role=option]').nth(5).waitFor();
      await p.locator('dialog [role=combobox]').fill('zone');
      await p.locator('dialog .shape').nth(5).waitFor();
    },
  },
  {
    name: 'board-groups',
    who: 'ann',
    path: () => board('&group=flow'),
    ready: (p) => p.locator('.board-group').nth(1),
  },
  {
    name: 'board-wall',
    who: 'ann',
    path: () => board('&tv=1&group=by'),
    ready: (p) => p.locator('.tv-groups li').first(),
  },
  { name: 'start', who: 'ann', path: () => `start/${world.who.shop}/`, ready: (p) => p.locator('.flows li').first() },
  {
    name: 'start-form',
    who: 'ann',
    path: () => `start/${world.who.shop}/?flow=${world.shop.flows.deploy}`,
    ready: (p) => p.locator('.start-form'),
  },
  { name: 'start-denied', who: 'vic', path: () => `start/${world.who.shop}/`, ready: (p) => p.locator('.empty') },
  {
    name: 'project-denied',
    who: 'nobody',
    path: () => `taskflow/home/list/${world.who.shop}/`,
    ready: (p) => p.locator('main .empty, main .error-box'),
    allow: /40[34]/,
  },
  { name: 'page-missing', who: 'ann', path: () => 'nowhere/', ready: (p) => p.locator('.empty'), allow: /404/ },
  {
    name: 'keys',
    who: 'ann',
    path: () => task('finished'),
    ready: (p) => p.locator('.graph-area'),
    finish: async (p) => {
      await p.keyboard.press('Shift+?');
      await p.locator('dialog .help').waitFor();
    },
  },
];

export async function show(window, screen) {
  if (screen.allow) window.allow(screen.allow);
  await window.go(await screen.path());
  await screen.ready(window.page).waitFor();
  await screen.finish?.(window.page);
}

const pictures = process.env.SCREENSHOTS;

async function picture(page, name) {
  if (!pictures) return;
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(pictures, `${name}.png`), animations: 'disabled', caret: 'hide' });
}

const smaller = [
  { width: 320, height: 256 }, // 1280 × 1024 at 400 %
  { width: 768, height: 1024 },
];

// What may be wider than its place: graphs, timelines, tables and logs.
const mayScroll = '.graph-area, .time-scroll, .board-grid, .log-lines, pre, table';

// Nothing but those needs to be moved sideways, and the top leaves room for what is below it; once the window has its new size.
async function fits(page, what) {
  let found;
  for (let tries = 0; tries < 30; tries++) {
    await page.waitForTimeout(50);
    found = await page.evaluate((mayScroll) => {
      const seen = [];
      const root = document.scrollingElement;
      if (root.scrollWidth > root.clientWidth) seen.push('the page');
      for (const e of document.querySelectorAll('body *')) {
        const across = e.scrollWidth > e.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(e).overflowX);
        if (across && !e.matches(mayScroll)) seen.push(`${e.tagName}.${e.className}`);
      }
      const top = document.querySelector('.top');
      if (top && top.offsetHeight > (innerWidth < 480 ? 72 : 96)) seen.push(`the top with ${top.offsetHeight}`);
      return seen;
    }, mayScroll);
    if (found.length === 0) return;
  }
  assert.deepEqual(found, [], `${what}: wider than the window, or too high`);
}

export function accessible() {
  for (const screen of screens) {
    test(`${screen.name} for everybody`, () =>
      as(screen.who, { viewport: wide }, async (window, page) => {
        await show(window, screen);
        assert.deepEqual(await window.violations(), [], 'wide and light');
        await picture(page, screen.name);
        await page.emulateMedia({ colorScheme: 'dark' });
        // All that the theme changes are colours.
        assert.deepEqual(await window.violations(['color-contrast', 'link-in-text-block']), [], 'wide and dark');
        await picture(page, `${screen.name}-dark`);
      }));
    test(`${screen.name} on a phone`, () =>
      as(screen.who, { viewport: narrow, colorScheme: 'dark' }, async (window, page) => {
        await show(window, screen);
        assert.equal(await window.overflow(), 0, 'nothing is wider than the screen');
        assert.deepEqual(await window.violations(), [], 'narrow and dark');
        await page.emulateMedia({ colorScheme: 'light' });
        assert.deepEqual(await window.violations(['color-contrast', 'link-in-text-block']), [], 'narrow and light');
        await picture(page, `${screen.name}-narrow`);
        for (const size of smaller) {
          await page.setViewportSize(size);
          await fits(page, `${size.width} × ${size.height}`);
        }
      }));
  }
}
