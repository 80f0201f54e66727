import { expect, test } from 'vitest';
import { speak } from '../i18n';
import { digitsOf, fullMoment, relativeMoment, sameDigits, shortMoment, span } from './format';
import { whySentence } from './why';

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

test('moments in a column do not say what all of them have in common with now', () => {
  const yesterday = now - 86_400_000;
  const cut = (moments: number[]) => digitsOf(moments[0] as number, 'UTC').slice(sameDigits(moments, now, 'UTC'));
  expect(cut([now - 5000, now])).toBe('09:59:55');
  expect(cut([yesterday, now])).toBe('03-01 10:00:00');
  expect(cut([Date.parse('2025-12-31T23:59:59Z'), now])).toBe('2025-12-31 23:59:59');
  expect(digitsOf(now, 'Asia/Shanghai')).toBe('2026-03-02 18:00:00');
});
