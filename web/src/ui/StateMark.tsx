import type { NodeStateName } from '../api';
import { type Key, useI18n } from '../i18n';

/** What can be shown of a task or a node: its state, that a node was skipped or was not reached. */
export type Look = NodeStateName | 'EXPIRED' | 'SKIPPED' | 'NONE';

const looks: Record<Look, { css: string; word: Key }> = {
  CREATED: { css: 'created', word: 'state.CREATED' },
  READY: { css: 'ready', word: 'state.READY' },
  RUNNING: { css: 'running', word: 'state.RUNNING' },
  SUSPENDED: { css: 'suspended', word: 'state.SUSPENDED' },
  NODE_SUSPENDED: { css: 'node-suspended', word: 'state.NODE_SUSPENDED' },
  FAILED: { css: 'failed', word: 'state.FAILED' },
  FINISHED: { css: 'finished', word: 'state.FINISHED' },
  REVOKED: { css: 'revoked', word: 'state.REVOKED' },
  EXPIRED: { css: 'expired', word: 'state.EXPIRED' },
  SKIPPED: { css: 'skipped', word: 'state.SKIPPED' },
  NONE: { css: 'unreached', word: 'state.NONE' },
};

/** The class that sets the colour of a state. */
export function lookClass(look: Look): string {
  return `is-${looks[look].css}`;
}

/** The message with the word of a state. */
export function lookWord(look: Look): Key {
  return looks[look].word;
}

/** The shape of a state alone, for where its word stands beside it; hidden from screen readers. */
export function StateShape({ look, size = 14 }: { look: Look; size?: number }) {
  return (
    <svg className={`shape ${lookClass(look)}`} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      {shapes[look]}
    </svg>
  );
}

/** Shape, word and colour of a state. */
export function StateMark({ look, word, size }: { look: Look; word?: string; size?: number }) {
  const { t } = useI18n();
  return (
    <span className={`state ${lookClass(look)}`}>
      <StateShape look={look} size={size} />
      <span>{word ?? t(looks[look].word)}</span>
    </span>
  );
}

/** The drawings of the states on a field of 16 by 16, each another shape. */
export const shapes: Record<Look, React.ReactNode> = {
  CREATED: <circle className="line" cx="8" cy="8" r="5.5" />,
  READY: <path className="line" d="M4.5 3v10L13 8z" />,
  RUNNING: <path className="body" d="M4.5 3v10L13 8z" />,
  SUSPENDED: (
    <>
      <rect className="body" x="1.5" y="1.5" width="13" height="13" rx="3" />
      <path className="cut" d="M6 5v6M10 5v6" />
    </>
  ),
  NODE_SUSPENDED: (
    <>
      <rect className="line" x="2" y="2" width="12" height="12" rx="3" />
      <path className="line" d="M6.2 5.5v5M9.8 5.5v5" />
    </>
  ),
  FAILED: (
    <>
      <path className="body" d="M5.2 1h5.6L15 5.2v5.6L10.8 15H5.2L1 10.8V5.2z" />
      <path className="cut" d="M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8" />
    </>
  ),
  FINISHED: (
    <>
      <circle className="body" cx="8" cy="8" r="7" />
      <path className="cut" d="M4.9 8.3l2.2 2.2 4.1-4.6" />
    </>
  ),
  REVOKED: (
    <>
      <circle className="line" cx="8" cy="8" r="6" />
      <path className="line" d="M4 12l8-8" />
    </>
  ),
  EXPIRED: (
    <>
      <circle className="line" cx="8" cy="8" r="6" />
      <path className="line" d="M8 4.5V8l2.5 1.5" />
    </>
  ),
  SKIPPED: (
    <>
      <circle className="line" cx="8" cy="8" r="6" />
      <path className="line" d="M5 5.5L7.5 8 5 10.5M8.5 5.5L11 8l-2.5 2.5" />
    </>
  ),
  NONE: <circle className="dots" cx="8" cy="8" r="5" />,
};
