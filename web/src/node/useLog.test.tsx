import { act, renderHook, waitFor } from '@testing-library/react';
import { afterEach, expect, test } from 'vitest';
import { emit, reply, serve } from '../testing/server';
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
  const log = {
    text: whole,
    complete: false,
    attempt: 2,
    /** How many streams get through; without one the log is asked for. */
    streams: 0,
    stream: (_: string) => {},
    end: (_: string) => {},
  };
  const server = await serve((asked, res) => {
    const given = answer?.(server.asked.length);
    if (given) {
      reply(res, given.body, given.status);
      return;
    }
    const query = new URL(asked.url, 'http://h').searchParams;
    const all = new TextEncoder().encode(log.text);
    const lines = log.text.split('\n');
    const begin = (n: number) => bytes(lines.slice(0, n).join('\n')) + (n > 0 ? 1 : 0);
    const from = query.has('tail')
      ? begin(lines.length - 4)
      : query.has('line')
        ? begin(Number(query.get('line')) - 1)
        : Number(query.get('from') ?? 0);
    const end = Math.min(all.length, from + Number(query.get('limit') ?? 100));
    const text = new TextDecoder().decode(all.subarray(from, end));
    const line = query.has('from') ? undefined : new TextDecoder().decode(all.subarray(0, from)).split('\n').length;
    const part = { node: 'n', ...log, attempts: 2, text, from, line, next: end, size: all.length };
    if (asked.accept === 'text/event-stream' && log.streams > 0) {
      log.streams--;
      emit(res, 'log', `2.${end}`, part);
      log.stream = (more: string) => {
        const at = bytes(log.text);
        log.text += more;
        emit(res, 'log', `2.${bytes(log.text)}`, {
          ...part,
          text: more,
          from: at,
          next: bytes(log.text),
          size: bytes(log.text),
        });
      };
      log.end = (reason: string) => {
        emit(res, 'end', '', { reason });
        res.end();
      };
      return;
    }
    reply(res, part);
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
  expect(result.current.text.numbers).toEqual([38, 39, 40]);
  // More than one answer holds comes at once, without a pause in between.
  log.text += `${'x'.repeat(150)}\nend\n`;
  log.complete = true;
  await waitFor(() => expect(result.current.complete).toBe(true), { timeout: 5000 });
  expect(result.current.text.lines.slice(3)).toEqual(['x'.repeat(150), 'end']);
  expect(asked.slice(2).every((a) => a.url.includes('attempt=2'))).toBe(true);
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
  const { log } = await logServer((n) => (n === 3 ? gone : undefined));
  const { result } = renderHook(() => useLog(of));
  await waitFor(() => expect(result.current.feed.state).toBe('stale'), { timeout: 5000 });
  expect(result.current.text.lines).toHaveLength(3);
  log.text += 'more\n';
  log.complete = true;
  await waitFor(() => expect(result.current.complete).toBe(true), { timeout: 8000 });
  expect(result.current.error).toBeUndefined();
  expect(result.current.text.lines.at(-1)).toBe('more');
}, 15_000);

test('while the page is hidden nothing is asked', async () => {
  const { log, asked } = await logServer();
  const { result } = renderHook(() => useLog(of));
  await waitFor(() => expect(result.current.loaded).toBe(true));
  let visible = 'hidden';
  Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => visible });
  try {
    act(() => void document.dispatchEvent(new Event('visibilitychange')));
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

test('a stream tells what is added; one that breaks is gone on with after its last event', async () => {
  const { log, asked } = await logServer();
  log.streams = 2;
  const { result } = renderHook(() => useLog(of));
  await waitFor(() => expect(result.current.feed.state).toBe('live'));
  act(() => log.stream('one more\n'));
  await waitFor(() => expect(result.current.text.lines.at(-1)).toBe('one more'));
  expect(asked).toHaveLength(1);
  act(() => log.end('draining'));
  await waitFor(() => expect(asked).toHaveLength(2), { timeout: 5000 });
  expect(asked[1]?.last).toBe(`2.${bytes(log.text)}`);
  act(() => log.stream('the last\n'));
  act(() => log.end('complete'));
  await waitFor(() => expect(result.current.complete).toBe(true));
  expect(result.current.text.lines.slice(-2)).toEqual(['one more', 'the last']);
  expect(result.current.text.numbers.at(-1)).toBe(42);
});

test('what is around a line comes in place of the end, and both sides are loaded from there', async () => {
  const { log } = await logServer();
  log.text = `${'long '.repeat(60_000)}\n${whole}`;
  log.streams = 1;
  const { result } = renderHook(() => useLog(of));
  await waitFor(() => expect(result.current.loaded).toBe(true));
  let there: number | undefined;
  await act(async () => {
    there = await result.current.around(2);
  });
  const text = () => result.current.text;
  expect(there).toBe(2);
  expect(text().lines[text().indexOf(2)]).toBe('line 0');
  expect(text().start).toBeGreaterThan(0);
  act(() => result.current.older());
  await waitFor(() => expect(text().start).toBe(0));
  log.text = 'x'.repeat(500_000);
  expect(text().lines[text().indexOf(1)]).toHaveLength(300_000);
});

test('what comes at the end takes nobody away from a line that lies back', async () => {
  const { log } = await logServer();
  log.text = `first\n${'long '.repeat(120_000)}\n${whole}`;
  log.streams = 1;
  const { result } = renderHook(() => useLog(of));
  await waitFor(() => expect(result.current.feed.state).toBe('live'));
  await act(async () => void (await result.current.around(1)));
  expect(result.current.apart).toBe(true);
  act(() => log.stream('one more\n'));
  await waitFor(() => expect(result.current.size).toBe(bytes(log.text)));
  expect(result.current.text.lines[0]).toBe('first');
  expect(result.current.apart).toBe(true);
  act(() => result.current.newer());
  await waitFor(() => expect(result.current.apart).toBe(false));
  act(() => log.stream('and more\n'));
  await waitFor(() => expect(result.current.text.lines.at(-1)).toBe('and more'));
  expect(result.current.text.lines[0]).toBe('first');
});
