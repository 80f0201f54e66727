import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useDeferredValue, useId, useMemo, useState } from 'react';
import { useNavigate } from 'react-router';
import { api } from '../api';
import { useTitle } from '../app/title';
import { useI18n } from '../i18n';
import { Button, Empty, ErrorBox, TextArea } from '../ui';
import { FromView } from './FromView';
import { boardPath, mostIds, type Parsed, parseIds } from './ids';

/** Explains the board and asks for the tasks to show. */
export function Begin({ project, lost }: { project: number; lost: boolean }) {
  useTitle(useI18n().t('board.title'));
  const { t } = useI18n();
  const navigate = useNavigate();
  return (
    <div className="board-begin">
      {lost && (
        <p className="board-note" role="alert">
          {t('board.lost')}
        </p>
      )}
      <Empty page title={t('board.empty.title')}>
        <p>{t('board.empty.text')}</p>
      </Empty>
      <div className="panel board-paste-panel">
        <Paste onOpen={(ids) => void navigate(boardPath(project, ids))} />
      </div>
      <Newest project={project} />
      <FromView project={project} />
    </div>
  );
}

function Newest({ project }: { project: number }) {
  const { t } = useI18n();
  const navigate = useNavigate();
  const newest = useQuery({
    queryKey: ['board-newest', project],
    queryFn: ({ signal }) => api.tasks(project, { limit: 50 }, signal),
    enabled: false,
    retry: false,
  });
  const open = async () => {
    const { data } = await newest.refetch();
    if (data && data.tasks.length > 0) {
      void navigate(
        boardPath(
          project,
          data.tasks.map((task) => task.id),
        ),
      );
    }
  };
  return (
    <div className="board-newest">
      <Button busy={newest.isFetching} onClick={() => void open()}>
        {t('board.newest')}
      </Button>
      {newest.data?.tasks.length === 0 && <p className="muted">{t('board.newest.none')}</p>}
      {newest.isError && <ErrorBox error={newest.error} />}
    </div>
  );
}

/** A box for any text with ids in it; says what was understood of it. */
export function Paste({
  onOpen,
  initial = '',
  extra,
}: {
  onOpen: (ids: number[]) => void;
  initial?: string;
  extra?: ReactNode;
}) {
  const { t } = useI18n();
  const id = useId();
  const [text, setText] = useState(initial);
  const settled = useDeferredValue(text);
  const parsed = useMemo(() => parseIds(settled), [settled]);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    const { ids } = parseIds(text);
    if (ids.length > 0) onOpen(ids);
  };
  return (
    <form onSubmit={submit} className="board-paste">
      <label htmlFor={id}>{t('board.paste')}</label>
      <TextArea
        id={id}
        rows={5}
        data-search
        aria-describedby={`${id}-found`}
        placeholder={t('board.paste.hint')}
        value={text}
        onChange={(e) => setText(e.target.value)}
        onKeyDown={(e) => {
          if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) submit(e);
        }}
      />
      <div className="board-paste-foot">
        <p id={`${id}-found`} role="status" className="board-found">
          {text.trim() !== '' && <Found parsed={parsed} />}
        </p>
        {extra}
        <Button type="submit" kind="primary" aria-disabled={parsed.ids.length === 0 || undefined}>
          {t('board.open', { count: parsed.ids.length })}
        </Button>
      </div>
    </form>
  );
}

function Found({ parsed }: { parsed: Parsed }) {
  const { t } = useI18n();
  const parts: ReactNode[] = [t('board.found', { count: parsed.ids.length })];
  if (parsed.duplicates > 0) parts.push(t('board.duplicates', { count: parsed.duplicates }));
  if (parsed.over > 0) parts.push(t('board.over', { count: parsed.over, most: mostIds }));
  if (parsed.junkCount > 0) {
    parts.push(
      <>
        {t('board.junk', { count: parsed.junkCount })}{' '}
        {parsed.junk.map((piece, i) => (
          <code key={i} className="board-junk">
            <bdi>{piece}</bdi>
          </code>
        ))}
        {parsed.junkCount > parsed.junk.length && '…'}
      </>,
    );
  }
  return parts.map((part, i) => (
    <span key={i}>
      {i > 0 && ' · '}
      {part}
    </span>
  ));
}
