import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { en } from './en';
import { initialLanguage, speak } from './index';
import { partsOf } from './message';
import { zhCN } from './zh-CN';

const forms = (m: string | object) => (typeof m === 'string' ? [m] : Object.values(m));
const names = (m: string | object) => [
  ...new Set(forms(m).flatMap((text: string) => partsOf(text).filter((_, i) => i % 2 === 1))),
];

test('each message has the same places for values in both languages', () => {
  for (const key of Object.keys(en) as (keyof typeof en)[]) {
    expect(names(zhCN[key]).sort(), key).toEqual(names(en[key]).sort());
  }
});

// Keys that are put together, by their beginning.
const built = [
  ...['state.', 'phase.', 'nodePhase.', 'why.', 'do.', 'feed.', 'error.', 'app.theme.'],
  ...['tasks.view.', 'tasks.range.', 'tasks.fault.', 'tasks.ask.', 'tasks.askOne.', 'tasks.done.'],
  'start.fault.',
  ...['node.ask.', 'node.time.', 'node.span.'],
  ...['task.ask.', 'task.done.', 'task.tab.', 'task.column.', 'task.event.', 'task.time.'],
];

test('every message is used', () => {
  const texts = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((f) => /\.tsx?$/.test(f) && !f.startsWith('i18n') && !f.includes('.test.'))
    .map((f) => readFileSync(join('src', f), 'utf8'))
    .join('\n');
  const unused = Object.keys(en).filter((k) => !texts.includes(`'${k}'`) && !built.some((b) => k.startsWith(b)));
  expect(unused).toEqual([]);
});

test('values are put in, and counts choose the form', () => {
  const { t } = speak('en');
  expect(t('app.skew.ahead', { count: 1 })).toMatch(/is 1 second ahead/);
  expect(t('app.skew.ahead', { count: 1200 })).toMatch(/is 1,200 seconds ahead/);
  expect(speak('zh-CN').t('app.skew.ahead', { count: 1 })).toMatch(/快 1 秒/);
});

test('the language is the chosen one, else the first of the browser that there is', () => {
  expect(initialLanguage(null, ['fr', 'zh-TW', 'en'])).toBe('zh-CN');
  expect(initialLanguage('en', ['zh'])).toBe('en');
  expect(initialLanguage('xx', ['fr'])).toBe('en');
});
