import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useNavigate } from 'react-router';
import { api, type Session } from '../api';
import { paths } from '../app/paths';
import { useTitle } from '../app/title';
import { useI18n } from '../i18n';
import { Delayed, ErrorBox } from '../ui';
import './signin.css';

/** Signs out, then leads to the sign-in. */
export function Component() {
  const { t } = useI18n();
  const client = useQueryClient();
  const navigate = useNavigate();
  const begun = useRef(false);
  useTitle(t('app.signOut'));
  const { mutate, error } = useMutation({
    mutationFn: () => api.signOut(),
    onSuccess: () => {
      client.clear();
      client.setQueryData<Session>(['session'], { fresh: false });
      void navigate(paths.login(), { replace: true });
    },
  });
  useEffect(() => {
    if (!begun.current) mutate();
    begun.current = true;
  }, [mutate]);
  return (
    <main className="signin">
      {error ? (
        <ErrorBox error={error} title={t('signin.outFailed')} retry={() => mutate()} />
      ) : (
        <Delayed>
          <p role="status">{t('signin.out')}</p>
        </Delayed>
      )}
    </main>
  );
}
