import { type FormEvent, useId, useState } from 'react';
import { useI18n } from '../i18n';
import { Button, Dialog, Field, Icon, Menu, TextInput } from '../ui';
import { views as builtIn, type Range } from './query';
import { longestName, mostViews, nameFault, type SavedView, useSaved } from './saved';

type Doing = { what: 'save' } | { what: 'rename' | 'remove'; view: SavedView };

/** The views of the list: those that are there for everybody, and one's own, which this browser keeps. */
export function Views({
  project,
  query,
  range,
  onChoose,
}: {
  project: { id: number; name: string };
  query: string;
  range: Range;
  onChoose: (query: string, range: Range) => void;
}) {
  const { t } = useI18n();
  const saved = useSaved(project.id);
  const [doing, setDoing] = useState<Doing>();
  const here = (view: { query: string; range: Range }) => view.query === query && view.range === range;
  const known = builtIn.some(here) || saved.views.some(here);
  return (
    <nav className="views" aria-label={t('tasks.views')}>
      {builtIn.map((view) => (
        <Button
          key={view.key}
          small
          kind="quiet"
          aria-pressed={here(view)}
          onClick={() => onChoose(view.query, view.range)}
        >
          {t(`tasks.view.${view.key}`)}
        </Button>
      ))}
      {saved.views.map((view) => (
        <span key={view.name} className="view-own">
          <Button
            small
            kind="quiet"
            aria-pressed={here(view)}
            title={view.query || undefined}
            onClick={() => onChoose(view.query, view.range)}
          >
            <bdi className="view-name">{view.name}</bdi>
          </Button>
          <Menu
            button={{
              kind: 'quiet',
              small: true,
              className: 'button-icon',
              'aria-label': t('tasks.view.change', { name: view.name }),
              children: <Icon name="down" size={12} />,
            }}
            items={[
              { key: 'rename', label: t('tasks.view.rename'), run: () => setDoing({ what: 'rename', view }) },
              {
                key: 'remove',
                label: t('tasks.view.remove'),
                danger: true,
                run: () => setDoing({ what: 'remove', view }),
              },
            ]}
          />
        </span>
      ))}
      {!known && query !== '' && saved.views.length < mostViews && (
        <Button small kind="quiet" onClick={() => setDoing({ what: 'save' })}>
          <Icon name="plus" size={12} />
          {t('tasks.view.save')}
        </Button>
      )}
      {doing && doing.what !== 'remove' && (
        <Name
          views={saved.views}
          project={project.name}
          own={doing.what === 'rename' ? doing.view.name : undefined}
          query={doing.what === 'rename' ? doing.view.query : query}
          range={doing.what === 'rename' ? doing.view.range : range}
          onClose={() => setDoing(undefined)}
          onName={(name) => {
            if (doing.what === 'rename') saved.rename(doing.view.name, name);
            else saved.add({ name, query, range });
            setDoing(undefined);
          }}
        />
      )}
      {doing?.what === 'remove' && (
        <Dialog
          title={t('tasks.view.askRemove', { name: doing.view.name })}
          onClose={() => setDoing(undefined)}
          foot={
            <>
              <Button data-focus onClick={() => setDoing(undefined)}>
                {t('ui.cancel')}
              </Button>
              <Button
                kind="danger"
                onClick={() => {
                  saved.remove(doing.view.name);
                  setDoing(undefined);
                }}
              >
                {t('tasks.view.remove')}
              </Button>
            </>
          }
        >
          <About query={doing.view.query} range={doing.view.range} />
        </Dialog>
      )}
    </nav>
  );
}

function About({ query, range }: { query: string; range: Range }) {
  const { t } = useI18n();
  return (
    <p className="muted">
      <code>{query}</code> · {t('tasks.range')}: {t(`tasks.range.${range}`)}
    </p>
  );
}

function Name({
  views,
  project,
  own,
  query,
  range,
  onClose,
  onName,
}: {
  views: readonly SavedView[];
  project: string;
  /** The name of the view that gets another one; undefined for a new view. */
  own: string | undefined;
  query: string;
  range: Range;
  onClose: () => void;
  onName: (name: string) => void;
}) {
  const { t } = useI18n();
  const form = useId();
  const [name, setName] = useState(own ?? '');
  const [tried, setTried] = useState(false);
  const fault = nameFault(views, name, own);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    setTried(true);
    if (!fault) onName(name.trim());
  };
  return (
    <Dialog
      title={own === undefined ? t('tasks.view.save') : t('tasks.view.askRename', { name: own })}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t('ui.cancel')}</Button>
          <Button kind="primary" type="submit" form={form}>
            {t(own === undefined ? 'tasks.view.keep' : 'tasks.view.rename')}
          </Button>
        </>
      }
    >
      <form id={form} onSubmit={submit}>
        <Field
          label={t('tasks.view.name')}
          hint={t('tasks.view.hint', { project })}
          error={tried && fault && t(`tasks.view.fault.${fault}`)}
        >
          {(field) => (
            <TextInput {...field} maxLength={longestName} value={name} onChange={(e) => setName(e.target.value)} />
          )}
        </Field>
        <About query={query} range={range} />
      </form>
    </Dialog>
  );
}
