import { afterEach, expect, test } from 'vitest';
import { emit, reply, serve } from '../testing/server';
import { drain } from './drain';
import type { Task, WatchRequest } from './types';
import { backOff, type Feed, usualTimes, Watch, type WatchTimes } from './watch';

const quick: WatchTimes = { silence: 10_000, first: 1, longest: 4, failures: 3, poll: 1, polls: 2 };
const now = '2026-01-02T03:04:05Z';
const task = (id: number, revision: number) => ({ id, name: `t${id}`, run: { revision } }) as Task;

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

// Follows until `enough` says so, and gives what was told.
async function follow(
  request: WatchRequest,
  answer: Parameters<typeof serve>[0],
  enough: (told: string[]) => boolean,
  times: Partial<WatchTimes> = {},
) {
  const server = await serve(answer);
  ending.push(server.close);
  const told: string[] = [];
  const feeds: Feed[] = [];
  await new Promise<void>((resolve) => {
    const note = (text: string) => {
      told.push(text);
      if (enough(told)) resolve();
    };
    const watch = new Watch(
      2,
      request,
      {
        tasks: ({ tasks }) => note(`tasks ${tasks.map((t) => `${t.id}@${t.run?.revision}`)}`),
        gone: (ids) => note(`gone ${ids}`),
        cut: (cut) => note(`cut ${cut}`),
        nodes: (news) => note(`nodes ${news.task}@${news.revision}`),
        feed: (feed) => {
          feeds.push(feed);
          if (told.at(-1) !== feed.state) note(feed.state);
        },
      },
      { ...quick, ...times },
    );
    ending.push(() => watch.stop());
    void watch.run();
  });
  return { told, feeds, asked: server.asked };
}

test('it goes on from its cursor after the connection broke', async () => {
  let calls = 0;
  const { told, asked } = await follow(
    { ids: [1, 2] },
    (_, res) => {
      calls++;
      if (calls === 1) {
        emit(res, 'tasks', 'a', { tasks: [task(1, 1), task(2, 1)], now });
        setTimeout(() => res.destroy(), 5);
      } else emit(res, 'tasks', 'b', { tasks: [task(2, 2)], now });
    },
    (told) => told.includes('tasks 2@2'),
  );
  expect(told).toEqual(['connecting', 'live', 'tasks 1@1,2@1', 'stale', 'live', 'tasks 2@2']);
  expect(asked.map((a) => a.body)).toEqual([{ ids: [1, 2] }, { ids: [1, 2], cursor: 'a' }]);
  expect(asked[0]).toMatchObject({ url: '/sub/path/api/v1/projects/2/tasks:watch', accept: 'text/event-stream' });
});

test('a cursor that the server does not know any more is dropped', async () => {
  let calls = 0;
  const { asked } = await follow(
    { ids: [1] },
    (_, res) => {
      calls++;
      if (calls === 1) {
        emit(res, 'tasks', 'old', { tasks: [task(1, 1)], now });
        emit(res, 'end', '', { reason: 'draining' });
        res.end();
      } else if (calls === 2) reply(res, { code: 'gone', detail: 'no' }, 410);
      else emit(res, 'tasks', 'new', { tasks: [task(1, 5)], now });
    },
    (told) => told.includes('tasks 1@5'),
  );
  expect(asked.map((a) => (a.body as { cursor?: string }).cursor)).toEqual([undefined, 'old', undefined]);
});

test('a stream that falls silent is begun anew', async () => {
  let calls = 0;
  const { told } = await follow(
    { ids: [1] },
    (_, res) => {
      calls++;
      emit(res, 'tasks', `c${calls}`, { tasks: [task(1, calls)], now });
    },
    (told) => told.includes('tasks 1@2'),
    { silence: 30 },
  );
  expect(told).toContain('stale');
});

test('where no stream gets through it polls, and tells only what changed', async () => {
  let polls = 0;
  const { told, asked } = await follow(
    { ids: [1, 2, 3] },
    (asked, res) => {
      if (asked.url.endsWith('tasks:watch')) return reply(res, { code: 'unavailable', detail: 'no' }, 503);
      polls++;
      reply(res, { tasks: [task(1, 1), task(2, polls)], missing: [3], now });
    },
    (told) => told.includes('tasks 2@3'),
  );
  expect(told.filter((t) => /tasks|gone/.test(t))).toEqual(['gone 3', 'tasks 1@1,2@1', 'tasks 2@2', 'tasks 2@3']);
  expect(told).toContain('polling');
  // After two polls a stream is tried again.
  expect(asked.map((a) => a.url.split('/').at(-1)?.replace('tasks:', ''))).toEqual([
    'watch',
    'watch',
    'watch',
    'status',
    'status',
    'watch',
    'status',
  ]);
});

test('a poll over a filter tells what fell out of it', async () => {
  let polls = 0;
  const { told } = await follow(
    { filter: { state: 'RUNNING' } },
    (asked, res) => {
      if (asked.method === 'POST') return reply(res, { code: 'not_found', detail: 'no' }, 404);
      polls++;
      reply(res, { tasks: polls === 1 ? [task(9, 1), task(8, 1)] : [task(9, 1)] });
    },
    (told) => told.includes('gone 8'),
  );
  expect(told).toContain('tasks 9@1,8@1');
});

test('that a list is cut is told when it changes, by a stream and by polls', async () => {
  const streamed = await follow(
    { filter: { state: 'RUNNING' } },
    (_, res) => {
      emit(res, 'tasks', 'a', { tasks: [], cut: true, now });
      emit(res, 'tasks', 'b', { tasks: [task(1, 1)], cut: true, now });
      emit(res, 'gone', 'c', { ids: [1], now });
      emit(res, 'tasks', 'd', { tasks: [], now });
    },
    (told) => told.includes('cut false'),
  );
  expect(streamed.told.filter((text) => text !== 'live')).toEqual([
    'connecting',
    'cut true',
    'tasks 1@1',
    'gone 1',
    'cut false',
  ]);
  const polled = await follow(
    { filter: { state: 'RUNNING', limit: 2 } },
    (req, res) => {
      if (req.url?.includes('tasks:watch')) reply(res, { code: 'not_found' }, 404);
      else reply(res, { tasks: [task(9, 1)], next_cursor: 'older' });
    },
    (told) => told.includes('cut true'),
  );
  expect(polled.told).toContain('cut true');
});

test('after a refusal for good it goes on once it is asked to', async () => {
  const server = await serve((_, res) => {
    if (server.asked.length === 1) reply(res, { code: 'denied', detail: 'not any more' }, 403);
    else emit(res, 'tasks', 'a', { tasks: [task(1, 2)], now });
  });
  ending.push(server.close);
  const feeds: string[] = [];
  await new Promise<void>((resolve) => {
    const watch = new Watch(
      2,
      { ids: [1] },
      {
        feed: ({ state }) => {
          feeds.push(state);
          if (state === 'ended') watch.retry();
        },
        tasks: () => resolve(),
      },
      quick,
    );
    ending.push(() => watch.stop());
    void watch.run();
  });
  expect(feeds).toEqual(['connecting', 'ended', 'connecting', 'live']);
});

test('a refusal for good ends it', async () => {
  const { feeds, asked } = await follow(
    { ids: [1] },
    (_, res) => reply(res, { code: 'denied', detail: 'this needs the permission view' }, 403),
    (told) => told.includes('ended'),
  );
  expect(feeds.at(-1)).toMatchObject({ state: 'ended', error: { code: 'denied', status: 403 } });
  expect(asked).toHaveLength(1);
});

test('each failure in a row doubles the wait, up to the longest', () => {
  const waits = [1, 2, 3, 4, 20].map((n) => backOff(n, 1));
  expect(waits).toEqual([500, 1000, 2000, 4000, usualTimes.longest]);
  expect(backOff(3, 0)).toBe(1000);
});

test('a server that takes leave is gone until a stream opens again', async () => {
  let calls = 0;
  const seen: boolean[] = [];
  await follow(
    { ids: [1] },
    (_, res) => {
      calls++;
      seen.push(drain.current());
      if (calls === 1) {
        emit(res, 'tasks', 'a', { tasks: [task(1, 1)], now });
        emit(res, 'end', '', { reason: 'draining' });
        res.end();
      } else if (calls === 2) reply(res, { code: 'unavailable', detail: 'no' }, 503);
      else emit(res, 'tasks', 'b', { tasks: [task(1, 2)], now });
    },
    (told) => told.includes('tasks 1@2'),
  );
  expect([...seen, drain.current()]).toEqual([false, true, true, false]);
});

test('once a server that was away is there again it is streamed from', async () => {
  let polls = 0;
  const { told, asked } = await follow(
    { ids: [1] },
    (ask, res) => {
      if (ask.url.endsWith(':status')) {
        polls++;
        if (polls === 1) reply(res, { code: 'unavailable', detail: 'no' }, 503);
        else reply(res, { tasks: [task(1, 1)], missing: [], now });
      } else if (polls < 2) reply(res, { code: 'unavailable', detail: 'no' }, 503);
      else emit(res, 'tasks', 'b', { tasks: [task(1, 2)], now });
    },
    (told) => told.includes('tasks 1@2'),
    { polls: 1000 },
  );
  expect(told).toEqual(['connecting', 'stale', 'tasks 1@1', 'polling', 'live', 'tasks 1@2']);
  expect(asked.filter((a) => a.url.endsWith(':status'))).toHaveLength(2);
});
