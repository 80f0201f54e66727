import type { Why } from '../api';
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
