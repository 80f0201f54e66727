import { useI18n } from '../i18n';
import { Dialog, Keys, useKeyboard } from '../ui';

/** Lists the keys of the screens that are shown. */
export function Help({ onClose }: { onClose: () => void }) {
  const { t } = useI18n();
  const groups = useKeyboard().all();
  return (
    <Dialog title={t('app.keys')} onClose={onClose} wide>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keys */}
      <section className="help" aria-label={t('app.keys')} tabIndex={0}>
        {groups.map((group) => (
          <div key={group.title}>
            <h3>{group.title}</h3>
            <dl>
              {group.bindings.map((b) => (
                <div key={b.keys}>
                  <dt>{b.label}</dt>
                  <dd>
                    <Keys keys={b.keys} then={t('app.keys.then')} />
                  </dd>
                </div>
              ))}
            </dl>
          </div>
        ))}
      </section>
    </Dialog>
  );
}
