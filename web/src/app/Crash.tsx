import { Link, useRouteError } from 'react-router';
import { ApiError } from '../api';
import { useI18n } from '../i18n';
import { Button, Empty, ErrorBox } from '../ui';
import { paths } from './paths';

/** Stands in place of a screen that broke down. */
export function Crash() {
  const { t } = useI18n();
  const error = useRouteError();
  return (
    <main className="main">
      <ErrorBox
        page
        error={error}
        title={error instanceof ApiError ? undefined : t('app.crashed')}
        retry={() => location.reload()}
      />
    </main>
  );
}

export function NotFound() {
  const { t } = useI18n();
  return (
    <Empty
      page
      title={t('app.notFound')}
      action={
        <Link className="button" to={paths.projects()}>
          {t('app.home')}
        </Link>
      }
    />
  );
}

/** Stands for a part of a screen that could not be loaded, such as after an upgrade of the server. */
export function Reload() {
  const { t } = useI18n();
  return <Button onClick={() => location.reload()}>{t('app.reload')}</Button>;
}
