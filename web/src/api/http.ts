import { serverClock } from './clock';
import { errorOf, thrown } from './error';
import { signedOut } from './lost';

export type Query = Record<string, string | number | boolean | undefined>;

/** Gives the address of something of the native API: `path` begins behind `/api/v1/`. */
export function apiURL(path: string, query?: Query, base: string = document.baseURI): URL {
  const url = new URL(`api/v1/${path.replace(/^\//, '')}`, base);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== '') url.searchParams.set(name, String(value));
  }
  return url;
}

export interface Ask {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

/** Sends a request and gives the answer, which is a success or 304; everything else is thrown as an ApiError. */
export async function send(path: string, ask: Ask = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json', ...ask.headers };
  if (ask.body !== undefined) headers['Content-Type'] = 'application/json';
  const asked = Date.now();
  let answer: Response;
  try {
    answer = await fetch(apiURL(path, ask.query), {
      method: ask.method ?? 'GET',
      headers,
      body: ask.body === undefined ? undefined : JSON.stringify(ask.body),
      signal: ask.signal,
      credentials: 'same-origin',
      cache: 'no-store',
    });
  } catch (e) {
    throw thrown(e);
  }
  serverClock.fromHeader(answer.headers.get('Date'), asked, Date.now());
  if (!answer.ok && answer.status !== 304) {
    // Of the session itself a 401 only says that the token was wrong.
    if (answer.status === 401 && !path.startsWith('session')) signedOut();
    throw await errorOf(answer);
  }
  return answer;
}

/** Sends a request and gives what the server answered. */
export async function call<T>(path: string, ask: Ask = {}): Promise<T> {
  const answer = await send(path, ask);
  if (answer.status === 204) return undefined as T;
  try {
    return (await answer.json()) as T;
  } catch (e) {
    throw thrown(e);
  }
}
