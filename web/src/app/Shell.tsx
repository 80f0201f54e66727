import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { Link, Navigate, NavLink, Outlet, ScrollRestoration, useLocation, useNavigate } from 'react-router';
import { useDraining, useSkew } from '../api';
import { languages, useI18n } from '../i18n';
import { ErrorBox, Icon, IconButton, Menu, ServerZone, Skeleton, useKeys } from '../ui';
import { keepFocus } from './focus';
import { Help } from './Help';
import { paths } from './paths';
import { useProject, useProjectId, useProjects, useSession } from './session';
import { setTheme, type Theme, useTheme } from './theme';

// It loads when it is opened first.
const Palette = lazy(() => import('./palette'));

/** The frame of all screens that need somebody signed in. */
export function Shell() {
  const session = useSession();
  const { pathname, search } = useLocation();
  if (session.isError && !session.data) {
    return (
      <main className="main">
        <ErrorBox page error={session.error} retry={() => void session.refetch()} />
      </main>
    );
  }
  if (!session.data) {
    return (
      <main className="main">
        <Skeleton />
      </main>
    );
  }
  if (!session.data.user) return <Navigate to={paths.login(pathname + search)} replace />;
  return <Frame user={session.data.user} zone={session.data.time_zone} />;
}

function Frame({ user, zone }: { user: string; zone: string | undefined }) {
  const { t } = useI18n();
  const [help, setHelp] = useState(false);
  const [palette, setPalette] = useState(false);
  const project = useProjectId();
  const current = useProject(project);
  const navigate = useNavigate();
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const first = useRef(pathname);
  useEffect(() => keepFocus(document.body), []);
  useEffect(() => {
    // Another screen: the keyboard begins at its top.
    if (first.current !== pathname) main.current?.focus({ preventScroll: true });
    first.current = pathname;
  }, [pathname]);

  useKeys(t('app.keys.global'), [
    { keys: 'Mod+k', label: t('app.palette'), inText: true, run: () => setPalette(true) },
    { keys: '?', label: t('app.keys.help'), run: () => setHelp(true) },
    {
      keys: '/',
      label: t('app.keys.search'),
      run: () => document.querySelector<HTMLElement>('[data-search]')?.focus(),
    },
    ...(project > 0
      ? [
          { keys: 'g t', label: t('app.keys.tasks'), run: () => void navigate(paths.tasks(project)) },
          { keys: 'g b', label: t('app.keys.board'), run: () => void navigate(paths.board(project)) },
          { keys: 'g s', label: t('app.keys.start'), run: () => void navigate(paths.start(project)) },
        ]
      : []),
  ]);

  return (
    <ServerZone value={current.data?.time_zone || zone}>
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        {t('app.skip')}
      </button>
      <header className="top">
        <Link className="brand" to={paths.projects()}>
          <img src="./icon.svg" alt="" width="20" height="20" />
          stdops
        </Link>
        <ProjectMenu project={project} />
        {project > 0 && (
          <nav className="top-nav" aria-label={t('app.nav')}>
            <NavLink to={paths.tasks(project)}>{t('app.tasks')}</NavLink>
            <NavLink to={paths.board(project)}>{t('app.board')}</NavLink>
            <NavLink to={paths.start(project)}>{t('app.start')}</NavLink>
          </nav>
        )}
        <div className="top-side">
          <IconButton label={t('app.palette')} aria-haspopup="dialog" onClick={() => setPalette(true)}>
            <Icon name="search" />
          </IconButton>
          <IconButton label={t('app.keys')} onClick={() => setHelp(true)}>
            <Icon name="keyboard" />
          </IconButton>
          <LanguageMenu />
          <ThemeMenu />
          <Menu
            head={t('app.user', { user })}
            button={{
              kind: 'quiet',
              className: 'top-user',
              'aria-label': t('app.user', { user }),
              children: (
                <>
                  <Icon name="user" />
                  <span>{user}</span>
                </>
              ),
            }}
            items={[{ key: 'out', label: t('app.signOut'), run: () => void navigate(paths.logout()) }]}
          />
        </div>
      </header>
      <DrainNote />
      <SkewNote />
      <main id="main" className="main" ref={main} tabIndex={-1}>
        <Outlet />
      </main>
      {palette && (
        <Suspense>
          <Palette onClose={() => setPalette(false)} onHelp={() => setHelp(true)} />
        </Suspense>
      )}
      {help && <Help onClose={() => setHelp(false)} />}
      <ScrollRestoration />
    </ServerZone>
  );
}

function ProjectMenu({ project }: { project: number }) {
  const { t, compare } = useI18n();
  const projects = useProjects();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  if (!projects.data || project === 0) return null;
  const all = projects.data.projects.toSorted((a, b) => compare(a.name, b.name));
  const name = all.find((p) => p.id === project)?.name ?? String(project);
  const there = (id: number) => {
    if (pathname.startsWith('/board/')) return paths.board(id);
    return pathname.startsWith('/start/') ? paths.start(id) : paths.tasks(id);
  };
  return (
    <Menu
      align="start"
      head={t('app.project')}
      button={{
        kind: 'quiet',
        className: 'top-project',
        'aria-label': `${t('app.project')}: ${name}`,
        children: (
          <>
            <span>{name}</span>
            <Icon name="down" size={12} />
          </>
        ),
      }}
      items={[
        ...all.map((p) => ({
          key: String(p.id),
          label: p.name,
          checked: p.id === project,
          run: () => void navigate(there(p.id)),
        })),
        { key: 'all', label: t('app.allProjects'), apart: true, run: () => void navigate(paths.projects()) },
      ]}
    />
  );
}

/** Chooses the language. */
export function LanguageMenu() {
  const { t, language, setLanguage } = useI18n();
  return (
    <Menu
      head={t('app.language')}
      button={{
        kind: 'quiet',
        className: 'button-icon',
        'aria-label': t('app.language'),
        title: t('app.language'),
        children: <Icon name="globe" />,
      }}
      items={languages.map((l) => ({
        key: l.code,
        label: <span lang={l.code}>{l.name}</span>,
        checked: l.code === language,
        run: () => setLanguage(l.code),
      }))}
    />
  );
}

const themes: readonly Theme[] = ['system', 'light', 'dark'];
const signs = { system: 'system', light: 'sun', dark: 'moon' } as const;

/** Chooses the theme. */
export function ThemeMenu() {
  const { t } = useI18n();
  const theme = useTheme();
  return (
    <Menu
      head={t('app.theme')}
      button={{
        kind: 'quiet',
        className: 'button-icon',
        'aria-label': t('app.theme'),
        title: t('app.theme'),
        children: <Icon name={signs[theme]} />,
      }}
      items={themes.map((key) => ({
        key,
        label: t(`app.theme.${key}`),
        checked: key === theme,
        run: () => setTheme(key),
      }))}
    />
  );
}

const reconnecting = 2500; // another process of the server, or one that was quick to begin, is found in that time

function DrainNote() {
  const { t } = useI18n();
  const draining = useDraining();
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!draining) return;
    const timer = setTimeout(() => setLate(true), reconnecting);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [draining]);
  if (!draining || !late) return null;
  return (
    <p className="note" role="status">
      {t('app.draining')}
    </p>
  );
}

function SkewNote() {
  const { t } = useI18n();
  const skew = useSkew();
  if (skew === 0) return null;
  return (
    <p className="note" role="note">
      {t(skew > 0 ? 'app.skew.ahead' : 'app.skew.behind', { count: Math.abs(skew) })}
    </p>
  );
}
