import { useServerNow } from '../api';
import { useI18n } from '../i18n';
import { fullMoment, relativeMoment, shortMoment, span, viewerZone } from './format';
import { useServerZone } from './zone';

/** Gives a moment in full, in the zone of the viewer and in that of the server. */
export function useMomentTitle(): (moment: number) => string {
  const { language, t } = useI18n();
  const zone = useServerZone();
  return (moment) => {
    const here = `${fullMoment(moment, language)} · ${t('ui.viewerZone', { zone: viewerZone })}`;
    if (!zone || zone === viewerZone) return here;
    return `${here}\n${fullMoment(moment, language, zone)} · ${t('ui.serverZone', { zone })}`;
  };
}

/** A moment in the zone of the viewer; its title has it in full, in the zone of the server too, and how long ago it is. */
export function Time({ at, relative = false }: { at: string | undefined; relative?: boolean }) {
  const { language } = useI18n();
  const now = useServerNow(relative);
  const inFull = useMomentTitle();
  const moment = at === undefined ? Number.NaN : Date.parse(at);
  if (Number.isNaN(moment)) return null;
  const title = `${inFull(moment)}\n${relativeMoment(moment, now, language)}`;
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
