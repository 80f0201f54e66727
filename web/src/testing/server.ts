import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  method: string;
  url: string;
  accept: string;
  /** The id of the last event that was read. */
  last: string;
  /** By which it has one effect, however often it is sent. */
  key: string;
  body: unknown;
}

/** A server for one test, to which addresses of the app lead until it is closed. */
export async function serve(answer: (asked: Asked, res: ServerResponse) => void): Promise<{
  asked: Asked[];
  close: () => Promise<void>;
}> {
  const asked: Asked[] = [];
  const server = createServer(async (req, res) => {
    res.setHeader('Access-Control-Allow-Origin', req.headers.origin ?? '*');
    res.setHeader('Access-Control-Allow-Headers', 'content-type, last-event-id, idempotency-key');
    if (req.method === 'OPTIONS') {
      res.end();
      return;
    }
    const one = {
      method: req.method ?? '',
      url: req.url ?? '',
      accept: req.headers.accept ?? '',
      last: String(req.headers['last-event-id'] ?? ''),
      key: String(req.headers['idempotency-key'] ?? ''),
      body: await json(req),
    };
    asked.push(one);
    answer(one, res);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = document.createElement('base');
  base.href = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sub/path/`;
  document.head.prepend(base);
  return {
    asked,
    close: () => {
      base.remove();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function json(req: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const piece of req) text += piece;
  return text === '' ? undefined : JSON.parse(text);
}

/** Answers with JSON. */
export function reply(res: ServerResponse, body: unknown, status = 200): void {
  res.writeHead(status, { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json' });
  res.end(JSON.stringify(body));
}

/** Begins a stream of events, or goes on with it. */
export function emit(res: ServerResponse, type: string, id: string, data: unknown): void {
  if (!res.headersSent) res.writeHead(200, { 'Content-Type': 'text/event-stream' });
  res.write(`event: ${type}\n${id && `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`);
}
