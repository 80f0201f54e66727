import { useServerNow } from '../api';
import { useI18n } from '../i18n';
import { fullMoment, relativeMoment, shortMoment, span, viewerZone } from './format';
import { useServerZone } from './zone';

/** A moment in the zone of the viewer; its title has it in full, in the zone of the server too. */
export function Time({ at, relative = false }: { at: string | undefined; relative?: boolean }) {
  const { language, t } = useI18n();
  const now = useServerNow(relative);
  const zone = useServerZone();
  const moment = at === undefined ? Number.NaN : Date.parse(at);
  if (Number.isNaN(moment)) return null;
  const title = [
    `${fullMoment(moment, language)} · ${t('ui.viewerZone', { zone: viewerZone })}`,
    zone && zone !== viewerZone
      ? `${fullMoment(moment, language, zone)} · ${t('ui.serverZone', { zone })}`
      : relativeMoment(moment, now, language),
  ].join('\n');
  return (
    <time dateTime={at} title={title} className="time">
      {relative ? relativeMoment(moment, now, language) : shortMoment(moment, now, language)}
    </time>
  );
}

/** How long something takes: from `from` to `to`, without `to` until now, which ticks by the clock of the server. */
export function Duration({ from, to }: { from: string | undefined; to?: string | undefined }) {
  const { t } = useI18n();
  const now = useServerNow(from !== undefined && to === undefined);
  if (from === undefined) return null;
  const end = to === undefined ? now : Date.parse(to);
  return <span className="duration">{span(end - Date.parse(from), t)}</span>;
}
