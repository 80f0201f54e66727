import { useTitle } from '../app/title';
import { useI18n } from '../i18n';

export function Component() {
  const { t } = useI18n();
  useTitle(t('board.title'));
  return (
    <div className="page-head">
      <h1>{t('board.title')}</h1>
    </div>
  );
}
