import { type QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Link, Navigate, useNavigate, useParams, useSearchParams } from 'react-router';
import { ApiError, api, type Me, type Session } from '../api';
import { paths, safeNext } from '../app/paths';
import { LanguageMenu, ThemeMenu } from '../app/Shell';
import { useSession } from '../app/session';
import { useTitle } from '../app/title';
import { useI18n } from '../i18n';
import { Button, ErrorBox, Field, Skeleton, TextInput } from '../ui';
import './signin.css';

export function Component() {
  const { link } = useParams();
  return (
    <>
      <div className="signin-top">
        <LanguageMenu />
        <ThemeMenu />
      </div>
      <main className="signin">{link === undefined ? <WithToken /> : <WithLink link={link} />}</main>
    </>
  );
}

// Whoever was here before may have seen other things: nothing of that is kept. What this page itself has asked stays: a
// link that was used must not be asked about again.
function enter(client: QueryClient, me: Me): void {
  client.removeQueries({ predicate: (q) => q.queryKey[0] !== 'link' });
  client.setQueryData<Session>(['session'], { user: me.user, admin: me.admin, time_zone: me.time_zone });
}

function useNext(): string {
  const [search] = useSearchParams();
  return safeNext(search.get('next'));
}

function Box({ title, children }: { title: React.ReactNode; children: React.ReactNode }) {
  return (
    <section className="signin-box">
      <p className="brand">
        <img src="./icon.svg" alt="" width="22" height="22" />
        stdops
      </p>
      <h1>{title}</h1>
      {children}
    </section>
  );
}

function WithToken() {
  const { t, tx } = useI18n();
  const session = useSession();
  const client = useQueryClient();
  const navigate = useNavigate();
  const next = useNext();
  const [token, setToken] = useState('');
  const [missing, setMissing] = useState(false);
  useTitle(t('signin.title'));
  const enterWith = useMutation({
    mutationFn: (token: string) => api.signIn({ token }),
    onSuccess: (me) => {
      enter(client, me);
      void navigate(next, { replace: true });
    },
  });
  if (session.data?.user && !enterWith.isSuccess) return <Navigate to={next} replace />;
  const submit = (e: FormEvent) => {
    e.preventDefault();
    const given = token.trim();
    setMissing(given === '');
    if (given !== '') enterWith.mutate(given);
  };
  const refused = enterWith.error instanceof ApiError && enterWith.error.code === 'unauthenticated';
  let problem: string | undefined;
  if (missing) problem = t('signin.tokenMissing');
  else if (refused) problem = t('signin.wrong');
  return (
    <Box title={t('signin.title')}>
      <form onSubmit={submit} noValidate>
        <Field label={t('signin.token')} error={problem}>
          {(field) => (
            <TextInput
              {...field}
              type="password"
              name="token"
              autoComplete="current-password"
              // The only thing that there is to do on this page.
              autoFocus
              value={token}
              onChange={(e) => setToken(e.target.value)}
            />
          )}
        </Field>
        {enterWith.error && !refused && <ErrorBox error={enterWith.error} />}
        <Button type="submit" kind="primary" busy={enterWith.isPending}>
          {t('signin.title')}
        </Button>
      </form>
      {session.isError && <ErrorBox error={session.error} retry={() => void session.refetch()} />}
      <p className="muted">
        {session.data?.fresh ? t('signin.fresh') : tx('signin.hint', { command: <code>stdops token create</code> })}
      </p>
    </Box>
  );
}

function WithLink({ link }: { link: string }) {
  const { t } = useI18n();
  const client = useQueryClient();
  const navigate = useNavigate();
  const next = useNext();
  const about = useQuery({
    queryKey: ['link', link],
    queryFn: ({ signal }) => api.link(link, signal),
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
  });
  const [name, setName] = useState('admin');
  const [missing, setMissing] = useState(false);
  const use = useMutation({
    mutationFn: (name: string | undefined) => api.signIn({ link, name }),
    onSuccess: (me) => {
      enter(client, me);
      void navigate(next, { replace: true });
    },
  });
  const nobody = about.data !== undefined && !about.data.user;
  const title = about.data?.user ? t('signin.titleFor', { user: about.data.user }) : t('signin.title');
  useTitle(title);
  if (isSpent(about.error) || isSpent(use.error)) return <Spent />;
  if (about.isError) {
    return (
      <Box title={t('signin.title')}>
        <ErrorBox error={about.error} retry={() => void about.refetch()} />
      </Box>
    );
  }
  if (!about.data) return <Skeleton lines={3} />;
  const submit = (e: FormEvent) => {
    e.preventDefault();
    const chosen = name.trim();
    setMissing(nobody && chosen === '');
    if (!nobody || chosen !== '') use.mutate(nobody ? chosen : undefined);
  };
  const refused = use.error instanceof ApiError && use.error.code === 'invalid' ? use.error.message : undefined;
  return (
    <Box title={title}>
      <form onSubmit={submit} noValidate>
        {nobody && (
          <>
            <p>{t('signin.first')}</p>
            <Field label={t('signin.name')} error={missing ? t('signin.nameMissing') : refused} required>
              {(field) => (
                <TextInput
                  {...field}
                  name="name"
                  autoComplete="username"
                  maxLength={128}
                  value={name}
                  onChange={(e) => setName(e.target.value)}
                />
              )}
            </Field>
          </>
        )}
        {use.error && !(nobody && refused) && <ErrorBox error={use.error} />}
        <Button type="submit" kind="primary" busy={use.isPending}>
          {t('signin.title')}
        </Button>
      </form>
      <p className="muted">{t('signin.once')}</p>
    </Box>
  );
}

function isSpent(error: unknown): boolean {
  return error instanceof ApiError && (error.code === 'gone' || error.code === 'not_found');
}

function Spent() {
  const { t } = useI18n();
  useTitle(t('signin.spent'));
  return (
    <Box title={t('signin.spent')}>
      <p>{t('signin.spent.text')}</p>
      <Link className="button" to={paths.login()}>
        {t('signin.withToken')}
      </Link>
    </Box>
  );
}
