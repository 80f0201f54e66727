/** How long tasks usually take, and when one may be expected to end. */
export const usual = {
  'usual.expected': 'Expected end',
  'usual.band': '{from} – {to}',
  'usual.by': 'by {time}',
  'usual.late': 'longer than usual',
  'usual.from': {
    one: 'Usually {median}, 95 of 100 within {p95}, by {count} task of this flow that finished',
    other: 'Usually {median}, 95 of 100 within {p95}, by the latest {count} tasks of this flow that finished',
  },
  'usual.task': 'usually {usual}',
  'usual.all': 'Running tasks expected to end: {band}',
  'usual.known': 'known of {known} of {of}',
  'usual.lateOf': { one: '{count} takes longer than usual', other: '{count} take longer than usual' },
} as const;
