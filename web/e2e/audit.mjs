// What a task was given, and who did what to it: the tabs Params and Audit of its page.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everyLook } from './browser.mjs';
import { eventually } from './server.mjs';
import { act, tree } from './tree.mjs';
import { as, hand, unique, ways, world } from './world.mjs';

const words = {
  en: {
    params: 'Params',
    audit: 'Audit',
    given: 'Given',
    set: 'Set while it ran',
    pause: 'Pause',
    resume: 'Resume',
    change: 'Change values',
    when: 'Values can be changed while',
    value: (key) => `Value of ${key}`,
    show: 'Show what changes',
    same: 'Nothing changes.',
    back: 'Back to the values',
    save: 'Save values',
    secret: 'a new value, which is hidden',
    meanwhile: 'Somebody else has changed',
    changed: 'The values were changed',
    set_: 'Change constants',
  },
  'zh-CN': {
    params: '参数',
    audit: '审计',
    given: '给定的值',
    set: '运行中设置的值',
    pause: '暂停',
    resume: '继续',
    change: '修改值',
    when: '可以修改这些值',
    value: (key) => `${key} 的值`,
    show: '查看修改',
    same: '没有修改。',
    back: '返回修改',
    save: '保存',
    secret: '新值（已隐藏）',
    meanwhile: '他人已修改',
    changed: '值已修改',
    set_: '修改变量',
  },
};
const reasonOf = { en: 'Reason', 'zh-CN': '原因' };

const constant = (key, name, value, more = {}) => ({
  ...{ key, name, value, index: 0, desc: '', source_type: 'custom', source_info: {}, source_tag: 'input.input' },
  ...{ custom_type: 'input', show_type: 'show', validation: '', version: 'legacy', ...more },
});

/** A task that waits for somebody, with a value that it was given, one that is secret, and one that a node gives out. */
async function waits(project, name) {
  const flow = tree([act('Ask outside', 'pause_node'), act('Go on')], {
    '${version}': constant('${version}', 'Version of the <b>shop</b>', `2.14 of ${name}`),
    '${hosts}': constant('${hosts}', 'Hosts', 'web-01\nweb-02\nweb-03'),
    '${token}': constant('${token}', 'Token', 's3cret-token', {
      custom_type: 'password',
      source_tag: 'password.password',
    }),
    '${said}': constant('${said}', 'What they said', '', {
      source_type: 'component_outputs',
      source_info: { n2: ['callback_data'] },
      custom_type: '',
      source_tag: '',
      show_type: 'hide',
    }),
  });
  const { id } = await world.api.task(project, name, flow);
  await world.api.untilNode(project, id, 'Ask outside', 'RUNNING', 'waiting');
  return id;
}

const dialog = (page) => page.getByRole('dialog');
const row = (page, key) => page.locator('.params-row').filter({ has: page.getByText(key, { exact: true }) });
const entry = (page, ...texts) =>
  texts.reduce((rows, text) => rows.filter({ hasText: text }), page.getByRole('row')).first();

async function seen(window, page, name, reload = true) {
  await everyLook(window, page, name, async () => assert.deepEqual(await window.violations(), [], 'on a phone'));
  if (!reload) return;
  // Who comes by a link sees which tab it is, however narrow the screen.
  await page.setViewportSize({ width: 240, height: 760 });
  await page.reload();
  const tab = page.getByRole('tab', { selected: true });
  await tab.waitFor();
  const [list, chosen] = [await tab.locator('xpath=..').boundingBox(), await tab.boundingBox()];
  assert.ok(chosen.x >= list.x - 1 && chosen.x + chosen.width <= list.x + list.width + 1, 'the tab is in sight');
  await page.setViewportSize({ width: 1280, height: 800 });
}

export function audit() {
  for (const way of ways) {
    for (const language of Object.keys(words)) {
      const t = words[language];
      const walk = (name, run) =>
        test(`${name}, ${way}, ${language}`, () =>
          as('ann', { language }, (window, page) => run(page, hand(way, page), window)));

      walk('params: what was given, and what nodes set', async (page, by, window) => {
        const project = world.who.walks;
        const name = unique('params');
        const id = await waits(project, name);
        await window.go(`taskflow/execute/${project}/?instance_id=${id}`);
        await by.tab(page.getByRole('tab', { name: t.params }));
        await row(page, '${version}').getByText(`2.14 of ${name}`).waitFor();
        await row(page, '${version}').getByText('Version of the <b>shop</b>').waitFor();
        assert.match(page.url(), /tab=params/);
        assert.equal(await row(page, '${said}').getByText(t.set).count(), 0);
        assert.equal(await row(page, '${said}').getByText('""').count(), 0, 'nobody gave it an empty text');
        // It is told of what nodes set, without a reload.
        await world.api.do(project, id, 'callback', { node: 'Ask outside', data: { bit: 1, who: 'the team' } });
        await row(page, '${said}').getByText(t.set).waitFor();
        await row(page, '${said}').getByText('the team').waitFor();
        assert.equal(await row(page, '${version}').getByText(t.set).count(), 0);
        await seen(window, page, `task-params-${language}`);
      });

      walk('params: other values are compared, sent with a reason, and refused in place', async (page, by, window) => {
        const project = world.who.walks;
        const { api } = world;
        const id = await waits(project, unique('values'));
        window.allow(/409/);
        await window.go(`taskflow/execute/${project}/?instance_id=${id}&tab=params`);
        await page.getByText(t.when).waitFor();
        const change = page.getByRole('button', { name: t.change, exact: true });
        assert.equal(await change.count(), 0, 'nothing can be changed while it runs');
        await api.do(project, id, 'pause');
        await by.press(change);
        const field = (key) => page.getByLabel(t.value(key), { exact: true });
        assert.equal(await field('${said}').count(), 0, 'what nodes give out nobody changes');
        assert.equal(await field('${token}').inputValue(), '', 'a secret is not shown');
        // Nothing was changed, and nothing can be sent.
        const button = (name) => page.locator('.params-form').getByRole('button', { name, exact: true });
        await by.press(button(t.show));
        await page.getByText(t.same).waitFor();
        assert.equal(await button(t.save).isDisabled(), true);
        await by.press(button(t.back));

        await by.fill(field('${version}'), '2.15');
        await by.fill(field('${hosts}'), 'web-01\nweb-02\nweb-04');
        await by.fill(field('${token}'), 'an0ther-token');
        await seen(window, page, `task-params-edit-${language}`, false);
        await by.press(button(t.show));
        const diff = (key) => page.getByRole('region', { name: key, exact: true });
        await diff('${hosts}').locator('.diff-old').getByText('web-03').waitFor();
        await diff('${hosts}').locator('.diff-new').getByText('web-04').waitFor();
        await diff('${token}').getByText(t.secret).waitFor();
        assert.equal(await page.getByText('an0ther-token').count(), 0, 'a new secret is not shown either');
        await seen(window, page, `task-params-diff-${language}`, false);

        // Somebody else is faster: with one of the values, and then with the task.
        await api.change(project, id, { '${version}': '2.14.1' });
        await page.getByText(t.meanwhile).waitFor();
        await diff('${version}').locator('.diff-old').getByText('2.14.1').waitFor();
        await api.do(project, id, 'resume');
        await by.fill(page.getByLabel(reasonOf[language]), 'web-03 is being replaced');
        await by.press(button(t.save));
        const refusal = page.locator('.params-form .error-box');
        await refusal.getByText('task is running').waitFor();
        await refusal.getByText('conflict (409)').waitFor();
        assert.equal(await refusal.locator('.error-code').count(), 2, 'its code and the id of the request');
        await api.do(project, id, 'pause');
        await by.press(button(t.save));
        await row(page, '${version}').getByText('2.15', { exact: true }).waitFor();
        await row(page, '${hosts}').getByText('web-04').waitFor();
        await page.getByText(t.changed).waitFor();
        // At the button, or at the list where the page did not know yet that there is one again.
        const focus = () => page.locator('.params').evaluate((el) => el.contains(document.activeElement));
        await eventually('the focus is back', focus);
        assert.equal((await page.content()).includes('an0ther-token'), false);

        await by.tab(page.getByRole('tab', { name: t.audit }));
        await entry(page, t.set_, 'ann', 'web-03 is being replaced').waitFor();
        // The node that comes next is given what was set.
        assert.deepEqual(
          (await api.constants(project, id)).slice(0, 3).map((c) => [c.key, c.value]),
          [
            ['${version}', '2.15'],
            ['${hosts}', 'web-01\nweb-02\nweb-04'],
            ['${token}', '******'],
          ],
        );
      });

      walk('audit: who did what, and why', async (page, by, window) => {
        const project = world.who.walks;
        const id = await waits(project, unique('audit'));
        await window.go(`taskflow/execute/${project}/?instance_id=${id}`);
        await by.tab(page.getByRole('tab', { name: t.audit }));
        await page.locator('.audit-made').getByText('ann').waitFor();
        await page.locator('.grid-line').first().waitFor();
        assert.equal(await page.locator('.grid-line').count(), 1, 'the start, and nothing that the server did');

        await by.press(page.locator('.run-actions').getByRole('button', { name: t.pause, exact: true }));
        await by.fill(dialog(page).getByLabel(reasonOf[language]), 'the switch is being replaced');
        await by.press(dialog(page).getByRole('button', { name: t.pause, exact: true }));
        // The new line comes by itself, above the others.
        await entry(page, t.pause, 'ann', 'the switch is being replaced').waitFor();
        assert.ok((await page.locator('.grid-line').first().textContent()).includes('the switch is being replaced'));
        await world.api.do(project, id, 'resume');
        await world.api.do(project, id, 'callback', { node: 'Ask outside', data: { bit: 1 } });
        await entry(page, 'Ask outside', 'ann').waitFor();
        await eventually('four lines', async () => (await page.locator('.grid-line').count()) === 4);
        await seen(window, page, `task-audit-${language}`);

        // A line leads to its node.
        await by.press(page.locator('.grid-line').getByRole('button', { name: 'Ask outside' }));
        await page.locator('.node-head').getByText('Ask outside').waitFor();
        assert.match(page.url(), /tab=audit.*node=|node=.*tab=audit/);
      });
    }
  }
}
