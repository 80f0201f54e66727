import { expect, test } from 'vitest';
import { ServerClock } from './clock';

const t = Date.parse('2026-01-02T03:04:05Z');

test('the offset comes from the header, to half a second', () => {
  const clock = new ServerClock();
  clock.fromHeader('Fri, 02 Jan 2026 03:04:05 GMT', t - 9_900, t - 9_700);
  expect(Math.abs(clock.offset - 10_000)).toBeLessThanOrEqual(600);
  expect(clock.skew()).toBe(-10);
});

test('a better estimate is not given up for a worse one, but for one that contradicts it', () => {
  const clock = new ServerClock();
  clock.fromMoment('2026-01-02T03:04:05Z', t, t + 20);
  expect(clock.offset).toBe(-10);
  clock.fromHeader('Fri, 02 Jan 2026 03:04:05 GMT', t, t + 900);
  expect(clock.offset).toBe(-10);
  clock.fromHeader('Fri, 02 Jan 2026 03:04:35 GMT', t, t + 900);
  expect(clock.offset).toBe(30_050);
});

test('a small skew is none', () => {
  const clock = new ServerClock();
  clock.fromMoment('2026-01-02T03:04:05Z', t - 1500, t - 1500);
  expect(clock.skew()).toBe(0);
});
