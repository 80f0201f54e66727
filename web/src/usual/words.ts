import type { I18n } from '../i18n';
import { shortMoment, span, viewerZone } from '../ui';
import type { Expected, UsualTask } from './usual';

type Words = Pick<I18n, 't' | 'language'>;

const minute = 60_000;

/** When something is expected to end, as exact as such a guess can be: to the minute, or to five seconds when it is near. */
export function bandWords(band: Expected, now: number, i18n: Words, zone: string = viewerZone): string {
  const from = words(band, 'from', now, i18n, zone);
  const to = words(band, 'to', now, i18n, zone);
  return from === to ? to : i18n.t('usual.band', { from, to });
}

/** The same in few words: by when it is expected to have ended. */
export function byWords(band: Expected, now: number, i18n: Words, zone: string = viewerZone): string {
  return i18n.t('usual.by', { time: words(band, 'to', now, i18n, zone) });
}

function words(band: Expected, end: 'from' | 'to', now: number, { language }: Words, zone: string): string {
  const near = band.to - now < 10 * minute;
  const step = near ? 5000 : minute;
  const moment = (end === 'from' ? Math.floor(band.from / step) : Math.ceil(band.to / step)) * step;
  return shortMoment(moment, now, language, zone, near ? 'second' : 'minute');
}

/** What a guess is made from. */
export function usualWords(usual: UsualTask, { t }: Words): string {
  return t('usual.from', { median: span(usual.median, t), p95: span(usual.p95, t), count: usual.runs });
}
