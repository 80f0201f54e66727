import { ApiError } from './error';
import { type Ask, send } from './http';
import { EventParser, type ServerEvent } from './sse';

/** Who reads a stream. */
export interface StreamReader {
  begun?(): void;
  /** Takes an event; what it gives is why the stream ends. */
  event(event: ServerEvent, received: number): string | undefined;
  /** After how many milliseconds the server wants to be asked again, if it said so. */
  hint?(pause: number | undefined): void;
}

/** Reads a stream of server-sent events to its end, and gives why it ended. One that is silent for too long has broken. */
export async function readStream(path: string, ask: Ask, silence: number, reader: StreamReader): Promise<string> {
  const attempt = new AbortController();
  const cut = () => attempt.abort();
  ask.signal?.addEventListener('abort', cut);
  if (ask.signal?.aborted) cut();
  let silent: ReturnType<typeof setTimeout> | undefined;
  const heard = () => {
    clearTimeout(silent);
    silent = setTimeout(() => attempt.abort(new Silence()), silence);
  };
  heard();
  try {
    const answer = await send(path, {
      ...ask,
      signal: attempt.signal,
      headers: { ...ask.headers, Accept: 'text/event-stream' },
    });
    if (!answer.body || !answer.headers.get('Content-Type')?.startsWith('text/event-stream')) {
      await answer.body?.cancel();
      throw new ApiError({ status: answer.status, code: 'foreign', message: 'this is no stream of events' });
    }
    reader.begun?.();
    const parser = new EventParser();
    const bytes = answer.body.getReader();
    for (;;) {
      const { done, value } = await bytes.read();
      if (done) return 'closed';
      heard();
      const received = Date.now();
      for (const event of parser.push(value)) {
        const end = reader.event(event, received);
        if (end !== undefined) return end;
      }
      reader.hint?.(parser.retry);
    }
  } finally {
    clearTimeout(silent);
    ask.signal?.removeEventListener('abort', cut);
    attempt.abort();
  }
}

class Silence extends Error {
  constructor() {
    super('the server fell silent');
  }
}
