import { act, renderHook, waitFor } from '@testing-library/react';
import { afterEach, expect, test } from 'vitest';
import { reply, serve } from '../testing/server';
import { bytes } from './logText';
import { useLog } from './useLog';

let close: (() => Promise<void>) | undefined;

afterEach(async () => {
  await close?.();
  close = undefined;
});

const whole = Array.from({ length: 40 }, (_, i) => `line ${i}\n`).join('');

// A log that grows: it is served as the server does it.
async function logServer(answer?: (n: number) => { status?: number; body?: unknown } | undefined) {
  const log = { text: whole, complete: false, attempt: 2 };
  const server = await serve((asked, res) => {
    const given = answer?.(server.asked.length);
    if (given) {
      reply(res, given.body, given.status);
      return;
    }
    const query = new URL(asked.url, 'http://h').searchParams;
    const all = new TextEncoder().encode(log.text);
    const from = query.has('tail')
      ? bytes(log.text.split('\n').slice(0, -4).join('\n')) + 1
      : Number(query.get('from') ?? 0);
    const end = Math.min(all.length, from + Number(query.get('limit') ?? 100));
    const text = new TextDecoder().decode(all.subarray(from, end));
    reply(res, { node: 'n', ...log, attempts: 2, text, next: end, size: all.length, complete: log.complete });
  });
  close = server.close;
  return { log, asked: server.asked };
}

const of = { project: 1, task: 2, node: 'n', attempt: 0, mark: 'v1' };

test('the end of a log comes first, then what is added until it is complete', async () => {
  const { log, asked } = await logServer();
  const { result } = renderHook(() => useLog(of));
  await waitFor(() => expect(result.current.loaded).toBe(true));
  expect(result.current.text.lines).toEqual(['line 37', 'line 38', 'line 39']);
  expect(result.current.text.start).toBe(bytes(whole) - 24);
  expect(asked[0]?.url).toContain('tail=1000');
  // More than one answer holds comes at once, without a pause in between.
  log.text += `${'x'.repeat(150)}\nend\n`;
  log.complete = true;
  await waitFor(() => expect(result.current.complete).toBe(true), { timeout: 5000 });
  expect(result.current.text.lines.slice(3)).toEqual(['x'.repeat(150), 'end']);
  expect(asked.slice(1).every((a) => a.url.includes('attempt=2'))).toBe(true);
  const requests = asked.length;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(asked.length).toBe(requests);
});

test('older lines come in front, as far as the beginning', async () => {
  const { log } = await logServer();
  log.complete = true;
  const { result } = renderHook(() => useLog(of));
  await waitFor(() => expect(result.current.complete).toBe(true));
  act(() => result.current.older());
  await waitFor(() => expect(result.current.text.start).toBe(0));
  expect(result.current.text.lines.join('\n')).toBe(whole.trimEnd());
  expect(result.current.text.first).toBe(-37);
});

test('a passing failure is got over by itself, what was loaded stays', async () => {
  const gone = {
    status: 503,
    body: { title: 'x', status: 503, code: 'unavailable', detail: 'a restart', request_id: 'r1' },
  };
  const { log } = await logServer((n) => (n === 2 ? gone : undefined));
  const { result } = renderHook(() => useLog(of));
  await waitFor(() => expect(result.current.error).toMatchObject({ code: 'unavailable' }), { timeout: 5000 });
  expect(result.current.text.lines).toHaveLength(3);
  log.text += 'more\n';
  log.complete = true;
  await waitFor(() => expect(result.current.complete).toBe(true), { timeout: 8000 });
  expect(result.current.error).toBeUndefined();
  expect(result.current.text.lines.at(-1)).toBe('more');
});

test('while the page is hidden nothing is asked', async () => {
  const { log, asked } = await logServer();
  const { result } = renderHook(() => useLog(of));
  await waitFor(() => expect(result.current.loaded).toBe(true));
  let visible = 'hidden';
  Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => visible });
  try {
    await new Promise((resolve) => setTimeout(resolve, 1300));
    const before = asked.length;
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(asked.length).toBe(before);
    log.text += 'later\n';
    log.complete = true;
    visible = 'visible';
    act(() => void document.dispatchEvent(new Event('visibilitychange')));
    await waitFor(() => expect(result.current.text.lines.at(-1)).toBe('later'));
  } finally {
    Reflect.deleteProperty(document, 'visibilityState');
  }
});

test('another mark is another log', async () => {
  const { log, asked } = await logServer();
  const { result, rerender } = renderHook((mark: string) => useLog({ ...of, mark }), { initialProps: 'v1' });
  await waitFor(() => expect(result.current.loaded).toBe(true));
  log.text = 'new\n\n\n\n';
  log.complete = true;
  rerender('v2');
  await waitFor(() => expect(result.current.complete).toBe(true));
  expect(result.current.text.lines).not.toContain('line 39');
  expect(asked.at(-1)?.url).toContain('tail=1000');
});
