// Names, errors, outputs and logs are what others wrote: nothing of them runs, and nothing of them breaks a page.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { act, tree } from './tree.mjs';
import { as, world } from './world.mjs';

const texts = [
  '<script>window.pwned = 1; alert(1)</script>',
  '"><img src=x onerror="window.pwned = 2; alert(2)">',
  "'-alert(3)-'${7*7}{{7*7}}",
  'javascript:alert(4)',
  '\u202egnp.exe\u202c turned \u2067around\u2069',
  'zero\u200bwidth\u200d\ufeffjoined\u00ad',
  '👩‍👩‍👧‍👦🏳️‍🌈 e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301',
  '将所有生产环境服务器的配置文件推送到各个机房'.repeat(5),
  'W'.repeat(120),
  'line\nbreak\ttab',
  '%s %n ../../etc/passwd \\u0000',
  '__proto__',
];

const noise = [
  '\\033[31mred\\033[0m \\033]0;title\\007 \\033]8;;javascript:alert(5)\\007link\\033]8;;\\007 \\033[2J\\033[H',
  '<script>window.pwned = 6; alert(6)</script><img src=x onerror=alert(7)>',
  '\\342\\200\\256turned around',
  '\\001\\002\\010\\013\\177 controls',
];

async function accepted(make) {
  try {
    return await make();
  } catch (error) {
    assert.match(error.message, / 4\d\d /, 'what is not taken is refused');
    return undefined;
  }
}

async function harmless(window, page, where) {
  await page.waitForFunction(() => document.querySelectorAll('.skeleton').length === 0);
  assert.equal(await page.evaluate(() => window.pwned), undefined, where);
  const made = 'main :is(img, script, iframe, object, embed), a[href^="javascript" i]';
  assert.equal(await page.locator(made).count(), 0, `${where}: elements out of texts`);
  assert.equal(await window.overflow(), 0, `${where}: wider than the window`);
}

let seeded;

// One task for each text, and one with all of them as nodes.
async function seed() {
  const { api, server } = world;
  const { odd: project } = world.who;
  const tasks = [];
  for (const text of texts) {
    const one = () =>
      api.task(project, text.slice(0, 128), tree([act(text, 'bk_display', { bk_display_message: text })]));
    const task = await accepted(one);
    if (task) tasks.push(task.id);
  }
  assert.ok(tasks.length >= texts.length / 2, `only ${tasks.length} were taken`);
  const long = await accepted(() => api.task(project, 'ten thousand', tree([act('長'.repeat(10_000))])));
  if (long) tasks.push(long.id);
  const printing = noise.map((n) => `printf '${n}\\n'; printf '${n}\\n' >&2`).join('\n');
  const flow = texts.map((text) => act(text, 'debug_no_schedule_node', { [text.slice(0, 60)]: text, list: [texts] }));
  const last = act('<b>bold</b>', 'shell_script', {
    script: `${printing}\nhead -c 100000 /dev/zero | tr '\\0' A; echo; echo '<script>alert(8)</script>' >&2; exit 1`,
  });
  const all = await api.task(project, '<i>all</i>', tree([...flow, last]));
  await api.until(project, all.id, 'FAILED');
  const file = join(server.dir, 'odd.json');
  writeFileSync(file, JSON.stringify(tree([act(texts[0])])));
  const name = texts[1];
  const made = server.cli(
    'flow',
    'create',
    '-f',
    file,
    '--name',
    name,
    '--description',
    texts.join(' '),
    '--project',
    `${project}`,
  );
  const graph = await api.graph(project, all.id);
  return {
    project,
    tasks: [...tasks, all.id],
    all: all.id,
    long: long?.id,
    flow: made.id,
    graph,
  };
}

export function odd() {
  for (const [word, viewport] of [
    ['wide', { width: 1280, height: 800 }],
    ['narrow', { width: 375, height: 760 }],
  ]) {
    test(`odd texts, ${word}`, () =>
      as('ann', { viewport }, async (window, page) => {
        seeded ??= seed();
        const { project, tasks, all, long, flow, graph } = await seeded;
        const { index } = graph.nodes.find((n) => n.plugin === 'shell_script');
        const task = (id, more = '') => `taskflow/execute/${project}/?instance_id=${id}${more}`;
        const pages = [
          [`taskflow/home/list/${project}/`, 'tr[data-row]'],
          [`taskflow/home/list/${project}/?q=${encodeURIComponent(texts[1])}`, 'h1'],
          [task(all), '.graph-area :is(.graph-lines path, .card, .mark), .graph-canvas:not([hidden])'],
          [task(all, '&tab=timeline'), '.time-lane'],
          [task(all, '&tab=nodes'), '.grid-line'],
          [task(all, '&tab=events'), '.event-change'],
          [task(all, `&node=${index}`), '.log-line'],
          [task(all, `&node=${graph.nodes.find((n) => n.name === texts[4])?.index ?? index}`), '.node-facts'],
          [`board/${project}/?ids=${tasks.join(',')}`, '.board-row'],
          [`board/${project}/?ids=${tasks.join(',')}&view=grid`, '.board-grid, .empty'],
          [`board/${project}/?ids=${encodeURIComponent(texts[0])}`, 'textarea'],
          [`start/${project}/`, '.flows li'],
          [`start/${project}/?flow=${flow}`, '.start-form'],
        ];
        if (long)
          pages.push([task(long), '.graph-area :is(.graph-lines path, .card, .mark), .graph-canvas:not([hidden])']);
        for (const [path, there] of pages) {
          await window.go(path);
          await page.locator(there).last().waitFor();
          await harmless(window, page, path);
        }
        // What cannot be seen is made visible.
        await window.go(task(all, `&node=${index}`));
        await page.locator('.log-line .odd').first().waitFor();
        const log = await page.locator('.log-lines').textContent();
        for (const c of ['\u202e', '\u001b']) assert.ok(!log.includes(c), 'what turns texts around, or is not shown');
      }));
  }
}
