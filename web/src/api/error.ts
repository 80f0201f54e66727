import type { Fault, Problem } from './types';

/**
 * The code of a refusal: one of the server's, `offline` when no server answered, `foreign` when what answered was not
 * stdops.
 */
export type ErrorCode =
  | 'invalid'
  | 'unauthenticated'
  | 'denied'
  | 'not_found'
  | 'conflict'
  | 'gone'
  | 'too_many'
  | 'unavailable'
  | 'internal'
  | 'offline'
  | 'foreign';

const codes: readonly ErrorCode[] = [
  'invalid',
  'unauthenticated',
  'denied',
  'not_found',
  'conflict',
  'gone',
  'too_many',
  'unavailable',
  'internal',
  'offline',
  'foreign',
];

/** A refusal of the server, or that there was no answer. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The HTTP status, 0 without an answer. */
  readonly status: number;
  readonly code: ErrorCode;
  readonly requestId: string;
  readonly faults: readonly Fault[];
  /** After how many milliseconds the server wants to be asked again, if it said so. */
  readonly retryAfter: number | undefined;

  constructor(e: {
    status: number;
    code: ErrorCode;
    message: string;
    requestId?: string;
    faults?: Fault[];
    retryAfter?: number;
  }) {
    super(e.message);
    this.status = e.status;
    this.code = e.code;
    this.requestId = e.requestId ?? '';
    this.faults = e.faults ?? [];
    this.retryAfter = e.retryAfter;
  }
}

/** Makes an error of an answer that is not a success. */
export async function errorOf(answer: Response): Promise<ApiError> {
  const seconds = Number(answer.headers.get('Retry-After') ?? '');
  const retryAfter = seconds > 0 ? seconds * 1000 : undefined;
  let problem: Partial<Problem> | undefined;
  if (/\bjson\b/.test(answer.headers.get('Content-Type') ?? '')) {
    problem = await answer.json().catch(() => undefined);
  }
  if (typeof problem?.code !== 'string') {
    return new ApiError({
      status: answer.status,
      code: 'foreign',
      message: `${answer.status} ${answer.statusText}`.trim(),
      retryAfter,
    });
  }
  return new ApiError({
    status: answer.status,
    code: codes.find((c) => c === problem.code) ?? 'internal',
    message: problem.detail ?? problem.title ?? answer.statusText,
    requestId: problem.request_id,
    faults: problem.errors,
    retryAfter,
  });
}

/** Makes an error of what a request threw. An abort stays what it is. */
export function thrown(e: unknown): unknown {
  if (e instanceof ApiError || (e instanceof DOMException && e.name === 'AbortError')) return e;
  return new ApiError({ status: 0, code: 'offline', message: e instanceof Error ? e.message : String(e) });
}
