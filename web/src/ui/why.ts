import type { Task, Why } from '../api';
import { type I18n, isKey } from '../i18n';
import { shortMoment } from './format';

/** Says in the language of the viewer why something stands as it does. */
export function whySentence(why: Why, i18n: Pick<I18n, 't' | 'language'>, now: number): string {
  const plain = `why.${why.code}`;
  const named = `${plain}.node`;
  let text: string;
  if (why.node && isKey(named)) text = i18n.t(named, { node: why.node.name || i18n.t('ui.noName') });
  else if (isKey(plain)) text = i18n.t(plain);
  else text = why.text; // a code of a newer server
  const parts = [text];
  if (why.until) {
    const time = shortMoment(Date.parse(why.until), now, i18n.language);
    parts.push(i18n.t('why.until', { time }));
  }
  if (why.node && why.count !== undefined && why.count > 1) parts.push(i18n.t('why.more', { count: why.count - 1 }));
  return parts.join(' ');
}

/**
 * Why a task stands as it does. In one that shows as failed, that is the node which waits for somebody's decision, though the
 * server tells first what still goes on by itself.
 */
export function taskWhy({ state, run }: Pick<Task, 'state' | 'run'>): Why | undefined {
  const failed = run?.failed?.[0];
  if (!run || !failed || state !== 'FAILED' || run.why.code === 'failed' || run.why.code === 'retry_at')
    return run?.why;
  return { code: 'failed', text: run.why.text, node: failed, count: run.failed_count };
}

/** How many nodes go on or have failed beside the one that `why` names. */
export function besides({ run }: Pick<Task, 'run'>, why: Why): { running: number; failed: number } {
  if (!run) return { running: 0, failed: 0 };
  if (why.code === 'failed') return { running: run.running_count, failed: 0 };
  // Those that are retried by themselves are counted as failed until they are.
  const retried = why.code === 'retry_at' ? (why.count ?? 0) : 0;
  return { running: 0, failed: run.phase === 'ended' ? 0 : Math.max(0, run.failed_count - retried) };
}

/** Says in one sentence why a task stands as it does, and what else goes on in it; nothing where its state says it all. */
export function taskSentence(
  task: Pick<Task, 'state' | 'run'>,
  i18n: Pick<I18n, 't' | 'language'>,
  now: number,
): string {
  const why = taskWhy(task);
  if (!why || why.code === 'finished' || why.code === 'revoked') return '';
  const { running, failed } = besides(task, why);
  const parts = [whySentence(why, i18n, now)];
  if (failed > 0) parts.push(i18n.t('task.failedToo', { count: failed }));
  if (running > 0) parts.push(i18n.t('task.runningToo', { count: running }));
  return parts.join('; ');
}
