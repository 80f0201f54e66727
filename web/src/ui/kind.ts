import type { Key } from '../i18n';

const kinds: Record<string, Key> = {
  EmptyStartEvent: 'task.kind.start',
  EmptyEndEvent: 'task.kind.end',
  ServiceActivity: 'task.kind.activity',
  SubProcess: 'task.kind.sub',
  ExclusiveGateway: 'task.kind.exclusive',
  ParallelGateway: 'task.kind.parallel',
  ConditionalParallelGateway: 'task.kind.conditional',
  ConvergeGateway: 'task.kind.converge',
};

/** The message with the word of a kind of nodes. */
export function kindKey(kind: string | undefined): Key {
  return (kind !== undefined && Object.hasOwn(kinds, kind) && kinds[kind]) || 'task.kind.other';
}
