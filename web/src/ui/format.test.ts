import { expect, test } from 'vitest';
import type { Run, Task } from '../api';
import { speak } from '../i18n';
import { digitsOf, fullMoment, relativeMoment, sameDigits, shortMoment, span } from './format';
import { taskSentence, whySentence } from './why';

const en = speak('en');
const zh = speak('zh-CN');
const now = Date.parse('2026-03-02T10:00:00Z');

test('a span has its two greatest units', () => {
  const second = 1000;
  expect([0, 59 * second, 65 * second, 3600 * second, 90_000 * second, -5].map((n) => span(n, en.t))).toEqual([
    '0 s',
    '59 s',
    '1 m 05 s',
    '1 h 00 m',
    '1 d 01 h',
    '0 s',
  ]);
  expect(span(65_000, zh.t)).toBe('1分05秒');
});

test('a moment is as short as it can be', () => {
  expect(shortMoment(now - 1000, now, 'en', 'UTC')).toBe('09:59:59');
  expect(shortMoment(now - 86_400_000, now, 'en', 'UTC')).toBe('Mar 1, 10:00');
  expect(shortMoment(Date.parse('2025-12-31T10:00:00Z'), now, 'en', 'UTC')).toBe('Dec 31, 2025');
  expect(fullMoment(now, 'en', 'Asia/Shanghai')).toContain('18:00:00 GMT+08:00');
  expect(fullMoment(now, 'en', 'No/Where')).toContain('10:00:00');
  expect(relativeMoment(now - 180_000, now, 'en')).toBe('3 min. ago');
});

test('why something stands as it does is said in the language of the viewer', () => {
  const node = { index: 1, id: 'n1', name: '推送' };
  expect(whySentence({ code: 'failed', text: 'x', node, count: 3 }, en, now)).toBe('推送 failed and 2 more');
  expect(whySentence({ code: 'failed', text: 'x' }, zh, now)).toBe('有节点失败');
  expect(whySentence({ code: 'newer' as 'failed', text: 'As the server says' }, en, now)).toBe('As the server says');
});

const standing = (state: Task['state'], run: Partial<Run>) =>
  ({ state, run: { phase: 'running', running_count: 0, failed_count: 0, paused_count: 0, ...run } }) as Task;

test('of a task that failed the node that failed is named first, whatever else goes on', () => {
  const pushed = { index: 2, id: 'n2', name: 'Push' };
  const timer = { code: 'timer', text: '', node: { index: 3, id: 'n3', name: 'Tell' }, count: 1 } as const;
  const failed = { failed: [pushed], failed_count: 1 };
  const both = { why: timer, running_count: 1, ...failed };
  expect(taskSentence(standing('FAILED', both), en, now)).toBe('Push failed; 1 other node still running');
  expect(taskSentence(standing('FAILED', both), zh, now)).toBe('Push 失败; 另有 1 个节点仍在执行');
  // The first of several, and none that still runs.
  const blocked = { phase: 'blocked', ...failed, failed_count: 3 } as const;
  const why = { code: 'failed', text: '', node: pushed, count: 3 } as const;
  expect(taskSentence(standing('FAILED', { ...blocked, why }), en, now)).toBe('Push failed and 2 more');
  // What is about to be retried by itself needs nobody.
  const retried = { why: { code: 'retry_at', text: '', node: pushed, count: 1 }, ...failed } as const;
  expect(taskSentence(standing('FAILED', retried), en, now)).toBe('Push will be retried');
  const oneOfTwo = { ...retried, failed_count: 2 };
  expect(taskSentence(standing('FAILED', oneOfTwo), en, now)).toBe('Push will be retried; 1 node failed');
  // Another state says what holds it up, and that something failed too.
  const paused = { ...both, why: { ...timer, code: 'stopping' }, phase: 'draining' } as const;
  expect(taskSentence(standing('SUSPENDED', paused), en, now)).toBe('Stopping: Tell is still at work; 1 node failed');
  const ended = { phase: 'ended', why: { code: 'revoked', text: '' }, ...failed } as const;
  expect(taskSentence(standing('REVOKED', ended), en, now)).toBe('');
  expect(taskSentence({ state: 'RUNNING' } as Task, en, now)).toBe('');
});

test('moments in a column do not say what all of them have in common with now', () => {
  const yesterday = now - 86_400_000;
  const cut = (moments: number[]) => digitsOf(moments[0] as number, 'UTC').slice(sameDigits(moments, now, 'UTC'));
  expect(cut([now - 5000, now])).toBe('09:59:55');
  expect(cut([yesterday, now])).toBe('03-01 10:00:00');
  expect(cut([Date.parse('2025-12-31T23:59:59Z'), now])).toBe('2025-12-31 23:59:59');
  expect(digitsOf(now, 'Asia/Shanghai')).toBe('2026-03-02 18:00:00');
});
