// The screens in Chinese: all that the app says itself is Chinese, and no message is missing.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { screens, show } from './screens.mjs';
import { as, world } from './world.mjs';

const folder = fileURLToPath(new URL('../src/i18n/en/', import.meta.url));
const keys = new Set(
  readdirSync(folder).flatMap((file) =>
    [...readFileSync(folder + file, 'utf8').matchAll(/^ {2}'([\w.-]+)':/gm)].map((m) => m[1]),
  ),
);

// Words that are the same in both languages: names of things, of keys, of units, and what is written like that anywhere.
const same = new Set(
  'stdops bk-sops API JSON CSV KiB id ids ID English Esc Enter Ctrl Tab Home End ms UTC GMT Berlin Europe'
    .toLowerCase()
    .split(' '),
);

// What others wrote: names of tasks, nodes, flows, users, plugins, reasons.
async function written() {
  const { api, who } = world;
  const { tasks } = await api.call('GET', `projects/${who.shop}/tasks?limit=200`);
  const { flows } = await api.call('GET', `projects/${who.shop}/flows`);
  const { projects } = await api.call('GET', 'projects');
  const graphs = await Promise.all(Object.values(world.shop.ids).map((id) => api.graph(who.shop, id)));
  const nodes = graphs.flatMap((g) => g.nodes.flatMap((n) => [n.name, n.plugin, n.kind]));
  const names = [...tasks, ...flows, ...projects].flatMap((x) => [x.name, x.description]);
  const details = await Promise.all(flows.map((f) => api.call('GET', `projects/${who.shop}/flows/${f.id}`)));
  const constants = details.flatMap((f) => f.constants.flatMap((c) => [c.name, c.key, c.description]));
  const others = [
    'ann',
    'vic',
    'nobody',
    'legacy',
    'state:failed',
    'is:waiting',
    'is:slow',
    'by:',
    'flow:',
    'executor:@me',
  ];
  const values = ['script', 'env', '_loop', '_inner_loop', 'exit_code', 'stdout', 'stderr', '_result', 'ex_data'];
  return [...names, ...nodes, ...constants, ...others, ...values].filter(Boolean).sort((a, b) => b.length - a.length);
}

// What the page says itself: texts and names of its frame and controls, but not what stands in bdi, code and the like.
function said() {
  const chrome =
    'h1, h2, h3, button, a.button, nav a, th, [role=columnheader], [role=tab], label, legend, summary, dt, option, ' +
    '.empty-title, .feed, .phase, .run-phase, .state, .muted, .error-title, [role=status], [role=note], caption';
  const texts = new Set();
  for (const el of document.querySelectorAll(chrome)) {
    const copy = el.cloneNode(true);
    for (const other of copy.querySelectorAll('bdi, code, kbd, .mono, time, input, textarea, .react-flow'))
      other.remove();
    texts.add(copy.textContent.trim());
  }
  for (const name of ['aria-label', 'placeholder', 'title', 'alt']) {
    for (const el of document.querySelectorAll(`[${name}]`)) texts.add(el.getAttribute(name));
  }
  texts.add(document.title);
  return [...texts].filter(Boolean);
}

let names;

export function chinese() {
  for (const screen of screens) {
    test(`${screen.name} in Chinese`, () =>
      as(screen.who, { language: 'zh-CN' }, async (window, page) => {
        await show(window, screen);
        names ??= written();
        const known = await names;
        assert.equal(await page.evaluate(() => document.documentElement.lang), 'zh-CN');
        const texts = await page.evaluate(said);
        assert.ok(texts.some((t) => /\p{Script=Han}/u.test(t)));
        const left = texts.flatMap((text) => {
          const plain = text.replaceAll(/@[0-9a-f]{7}\b/g, ' '); // the digest of a tree
          const own = known.reduce((rest, name) => rest.replaceAll(name, ' '), plain);
          const words = own.match(/[A-Za-z][A-Za-z.'-]+/g) ?? [];
          const foreign = words.filter((w) => !same.has(w.toLowerCase()) && w.length > 1);
          return foreign.length > 0 ? [`${foreign.join(' ')} in: ${text.slice(0, 160)}`] : [];
        });
        assert.deepEqual(left, [], 'words that are not Chinese');
        const whole = await page.locator('body').textContent();
        assert.deepEqual(
          [...keys].filter((key) => key.includes('.') && whole.includes(key)),
          [],
          'keys of messages',
        );
      }));
  }
}
