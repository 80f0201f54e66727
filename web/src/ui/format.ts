import type { I18n } from '../i18n';

/** Says how long something took: its two greatest units, down to the second. */
export function span(milliseconds: number, t: I18n['t']): string {
  const whole = Math.max(0, Math.floor(milliseconds / 1000));
  const units = [
    { key: 'span.d', n: Math.floor(whole / 86_400) },
    { key: 'span.h', n: Math.floor(whole / 3600) % 24 },
    { key: 'span.m', n: Math.floor(whole / 60) % 60 },
    { key: 'span.s', n: whole % 60 },
  ] as const;
  const first = units.findIndex((u) => u.n > 0);
  const great = units[first < 0 ? 3 : first];
  const small = first < 0 ? undefined : units[first + 1];
  if (!great) return '';
  const a = t(great.key, { n: String(great.n) });
  if (!small) return a;
  return t('span.two', { a, b: t(small.key, { n: String(small.n).padStart(2, '0') }) });
}

/** The zone of the viewer. */
export const viewerZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

const formats = new Map<string, Intl.DateTimeFormat>();

function format(language: string, zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify([language, zone, options]);
  let made = formats.get(key);
  if (!made) {
    made = zoned(language, zone, options);
    formats.set(key, made);
  }
  return made;
}

function zoned(language: string, zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat(language, { ...options, timeZone: zone, hourCycle: 'h23' });
  } catch {
    // A zone that the browser does not know.
    return new Intl.DateTimeFormat(language, { ...options, timeZone: 'UTC', timeZoneName: 'short', hourCycle: 'h23' });
  }
}

const clock: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit' };

/**
 * A moment as short as it can be told apart: the time of today, else the day too, the year only if it is another. `to` the
 * minute it is for moments that are not known better.
 */
export function shortMoment(
  moment: number,
  now: number,
  language: string,
  zone: string = viewerZone,
  to: 'second' | 'minute' = 'second',
): string {
  const day = format(language, zone, { year: 'numeric', month: '2-digit', day: '2-digit' });
  if (day.format(moment) === day.format(now)) {
    return format(language, zone, to === 'second' ? clock : { ...clock, second: undefined }).format(moment);
  }
  const year = format(language, zone, { year: 'numeric' });
  if (year.format(moment) === year.format(now)) {
    return format(language, zone, { month: 'short', day: 'numeric', ...clock, second: undefined }).format(moment);
  }
  return format(language, zone, { year: 'numeric', month: 'short', day: 'numeric' }).format(moment);
}

/** A moment in full, with its distance from UTC. */
export function fullMoment(moment: number, language: string, zone: string = viewerZone): string {
  return format(language, zone, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    ...clock,
    timeZoneName: 'longOffset',
  }).format(moment);
}

/** A moment with all its digits, which are at the same places in every language. */
export function digitsOf(moment: number, zone: string = viewerZone): string {
  const options = { year: 'numeric', month: '2-digit', day: '2-digit', ...clock } as const;
  return format('sv-SE', zone, options).format(moment);
}

/** How many of the first digits moments need not say: they are of today, or of this year. */
export function sameDigits(moments: readonly number[], now: number, zone: string = viewerZone): number {
  const same = (length: number) =>
    moments.every((m) => digitsOf(m, zone).slice(0, length) === digitsOf(now, zone).slice(0, length));
  return same(11) ? 11 : same(5) ? 5 : 0;
}

/** A moment in words that are relative to now. */
export function relativeMoment(moment: number, now: number, language: string): string {
  const seconds = Math.round((moment - now) / 1000);
  const words = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' });
  const size = Math.abs(seconds);
  if (size < 60) return words.format(seconds, 'second');
  if (size < 3600) return words.format(Math.trunc(seconds / 60), 'minute');
  if (size < 86_400) return words.format(Math.trunc(seconds / 3600), 'hour');
  return words.format(Math.trunc(seconds / 86_400), 'day');
}

/** The beginning of the digest of a tree: enough to tell the versions of one flow apart. */
export function shortTree(tree: string): string {
  return tree.slice(0, 7);
}
