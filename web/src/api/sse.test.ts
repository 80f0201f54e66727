import { expect, test } from 'vitest';
import { EventParser } from './sse';

const stream =
  'retry: 1500\r\n\r\n' +
  ': a comment\n' +
  'event: tasks\nid: c1\ndata: {"name":"推送"}\n\n' +
  'data: one\rdata:two\r\r' +
  'event: lost\n\n' +
  'id: c2\r\nevent: ping\r\ndata: {}\r\n\r\n' +
  'data: never ended';

const events = [
  { type: 'tasks', data: '{"name":"推送"}', id: 'c1' },
  { type: 'message', data: 'one\ntwo', id: 'c1' },
  { type: 'ping', data: '{}', id: 'c2' },
];

test('events are the same wherever the stream is cut in two', () => {
  const bytes = new TextEncoder().encode(stream);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const parser = new EventParser();
    const got = [...parser.push(bytes.slice(0, cut)), ...parser.push(bytes.slice(cut))];
    expect(got, `cut at ${cut}`).toEqual(events);
    expect(parser.retry).toBe(1500);
  }
});

test('events are the same when each byte comes alone', () => {
  const parser = new EventParser();
  const got = [...new TextEncoder().encode(stream)].flatMap((b) => parser.push(Uint8Array.of(b)));
  expect(got).toEqual(events);
});
