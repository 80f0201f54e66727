import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { api, type Task } from '../../api';
import { languages, useI18n } from '../../i18n';
import { usualRange, views } from '../../tasks/query';
import { useSaved } from '../../tasks/saved';
import { useOffered } from '../../ui';
import { paths } from '../paths';
import { useProjectId, useProjects } from '../session';
import { setTheme, type Theme, useTheme } from '../theme';
import { type Entry, idIn, type Section } from './entries';

const patience = 200;
const mostTasks = 8;
const themes: readonly Theme[] = ['system', 'light', 'dark'];

/** All that the palette can lead to, before what was typed leaves some of it out. `help` shows the keys. */
export function useSections(text: string, help: () => void): { sections: Section[]; looking: boolean; error: unknown } {
  const { t, language, setLanguage, compare } = useI18n();
  const project = useProjectId();
  const navigate = useNavigate();
  const { pathname, search } = useLocation();
  const projects = useProjects();
  const saved = useSaved(project);
  const theme = useTheme();
  const offered = useOffered();
  const found = useFound(project, text);
  const to = (path: string) => () => void navigate(path);
  const here = pathname + search;
  const name = projects.data?.projects.find((p) => p.id === project)?.name;

  const tasks: Entry[] = found.tasks.map((task) => ({
    key: `task/${task.id}`,
    label: task.name || t('ui.noName'),
    hint: `#${task.id} · ${t(`state.${task.state}`)}`,
    state: task.state,
    current: here === paths.task(project, task.id),
    run: to(paths.task(project, task.id)),
  }));
  const screen = (key: string, label: string, path: string): Entry => ({
    key: `go/${key}`,
    label,
    current: pathname === path,
    run: to(path),
  });
  const screens: Entry[] = [
    ...(project > 0
      ? [
          screen('tasks', t('app.tasks'), paths.tasks(project)),
          screen('board', t('app.board'), paths.board(project)),
          screen('start', t('app.palette.start'), paths.start(project)),
        ]
      : []),
    screen('projects', t('app.projects'), paths.projects()),
    ...(projects.data?.projects ?? [])
      .filter((p) => p.id !== project)
      .toSorted((a, b) => compare(a.name, b.name))
      .map((p) => ({ ...screen(`project/${p.id}`, p.name, paths.tasks(p.id)), hint: t('app.project') })),
  ];
  const view = (key: string, label: string, query: string, range: string): Entry => {
    const params = new URLSearchParams({ q: query, ...(range === usualRange ? {} : { range }) });
    return { key: `view/${key}`, label, hint: query, run: to(`${paths.tasks(project)}?${params}`) };
  };
  const ways: Entry[] =
    project === 0
      ? []
      : [
          ...saved.views.map((v) => view(`own/${v.name}`, v.name, v.query, v.range)),
          ...views.map((v) => view(v.key, t(`tasks.view.${v.key}`), v.query, v.range)),
        ];
  return {
    sections: [
      ...offered.map(({ title, offers }, i) => ({
        key: `offer${i}`,
        title,
        entries: offers.map((o) => ({ ...o, key: `offer${i}/${o.key}` })),
      })),
      { key: 'tasks', title: name ? `${t('tasks.title')} · ${name}` : t('tasks.title'), entries: tasks, found: true },
      { key: 'go', title: t('app.palette.go'), entries: screens },
      { key: 'views', title: t('tasks.views'), entries: ways },
      {
        key: 'theme',
        title: t('app.theme'),
        entries: themes.map((key) => ({
          key: `theme/${key}`,
          label: t(`app.theme.${key}`),
          current: key === theme,
          run: () => setTheme(key),
        })),
      },
      {
        key: 'language',
        title: t('app.language'),
        entries: languages.map((l) => ({
          key: `language/${l.code}`,
          label: l.name,
          current: l.code === language,
          run: () => setLanguage(l.code),
        })),
      },
      {
        key: 'more',
        title: t('app.palette.more'),
        entries: [
          { key: 'more/keys', label: t('app.keys.help'), run: help },
          { key: 'more/out', label: t('app.signOut'), run: to(paths.logout()) },
        ],
      },
    ],
    looking: found.looking,
    error: found.error,
  };
}

// The tasks that have what was typed in their names, as the server searches them, and the one that has it as its id.
function useFound(project: number, text: string): { tasks: readonly Task[]; looking: boolean; error: unknown } {
  const wanted = text.trim();
  const [asked, setAsked] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setAsked(wanted), wanted === '' ? 0 : patience);
    return () => clearTimeout(timer);
  }, [wanted]);
  const enabled = project > 0 && asked !== '';
  const query = useQuery({
    queryKey: ['palette', project, asked],
    queryFn: async ({ signal }) => {
      const id = idIn(asked);
      const [named, numbered] = await Promise.all([
        api.tasks(project, { keyword: asked.slice(0, 128), limit: mostTasks }, signal),
        // One of many that is not there is no error.
        id === undefined ? undefined : api.status(project, { ids: [id] }, signal),
      ]);
      const first = numbered?.tasks.filter((task) => !task.deleted) ?? [];
      return [...first, ...named.tasks.filter((task) => task.id !== id)].slice(0, mostTasks);
    },
    enabled,
    placeholderData: keepPreviousData,
    staleTime: 2000,
  });
  return {
    tasks: enabled && wanted !== '' ? (query.data ?? []) : [],
    looking: project > 0 && wanted !== '' && (wanted !== asked || query.isFetching),
    error: enabled ? query.error : null,
  };
}
