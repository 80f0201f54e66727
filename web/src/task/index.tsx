import { useTitle } from '../app/title';
import { useI18n } from '../i18n';

export function Component() {
  const { t } = useI18n();
  useTitle(t('task.title'));
  return (
    <div className="page-head">
      <h1>{t('task.title')}</h1>
    </div>
  );
}
