import { memo } from 'react';
import { useI18n } from '../i18n';
import { digitsOf, useMomentTitle } from '../ui';

/** When a line was written, in the zone of the viewer, without its first digits; its title has it in other zones too. */
export const LineTime = memo(function LineTime({ at, without }: { at: string | undefined; without: number }) {
  const { t } = useI18n();
  const title = useMomentTitle();
  const width = { width: `${timeWidth(without)}ch` };
  if (at === undefined) {
    return (
      <span className="log-time" style={width} title={t('node.log.noTime')}>
        –
      </span>
    );
  }
  const moment = Date.parse(at);
  return (
    <time className="log-time" style={width} dateTime={at} title={`${title(moment)}\n${at}`}>
      {digitsOf(moment).slice(without)}
    </time>
  );
});

/** How many characters wide the times of lines are, with what is between them and the text. */
export function timeWidth(without: number): number {
  return 20 - without;
}
