import { useI18n } from '../i18n';
import { Button, FeedMark, Icon, Menu, useCopy, useToast } from '../ui';
import { csv } from './export';
import type { Board, Item } from './model';
import type { ChangeAddress } from './useAddress';
import type { useBoard } from './useBoard';
import type { ShownTasks } from './useShown';

/** How the tasks are shown: a line each, or by their nodes. */
export const views = ['rows', 'grid'] as const;
export type View = (typeof views)[number];

/** The head of the board: what it is, how it is shown, and what can be had of it. */
export function Head({
  project,
  live: { board, feed, retry },
  local,
  view,
  shown,
  onAddress,
  onOpen,
}: {
  project: number;
  live: ReturnType<typeof useBoard>;
  /** Whether the address holds the ids for this browser only. */
  local: boolean;
  view: View;
  shown: ShownTasks['shown'];
  onAddress: ChangeAddress;
  onOpen: (dialog: 'ids' | 'request') => void;
}) {
  const { t } = useI18n();
  const copy = useCopy();
  const toast = useToast();
  const exported = () => csv(itemsOf(board, shown));
  const share = async () => {
    await copy(location.href);
    if (local) toast(t('board.local'));
  };
  return (
    <div className="page-head board-head">
      <h1>{t('board.title')}</h1>
      <span className="muted">{t('board.count', { count: board.tasks.size })}</span>
      <FeedMark feed={feed} retry={retry} />
      <div className="page-side">
        <fieldset className="board-views">
          <legend className="hidden">{t('board.view')}</legend>
          {views.map((v) => (
            <Button
              key={v}
              small
              kind={v === view ? 'plain' : 'quiet'}
              aria-pressed={v === view}
              onClick={() => onAddress({ view: v === 'grid' ? 'grid' : undefined })}
            >
              {t(v === 'grid' ? 'board.view.grid' : 'board.view.rows')}
            </Button>
          ))}
        </fieldset>
        <Button small onClick={() => onOpen('ids')}>
          {t('board.edit')}
        </Button>
        <Button small onClick={() => onAddress({ tv: '1' })}>
          {t('board.tv')}
        </Button>
        <Menu
          button={{
            small: true,
            children: (
              <>
                {t('board.share')}
                <Icon name="down" size={12} />
              </>
            ),
          }}
          items={[
            { key: 'link', label: t('board.share.link'), run: () => void share() },
            { key: 'request', label: t('board.request'), run: () => onOpen('request') },
            {
              key: 'ids',
              label: t('board.share.ids', { count: shown.length }),
              apart: true,
              run: () => void copy(shown.map((p) => p.id).join('\n')),
            },
            { key: 'csv', label: t('board.share.csv'), run: () => void copy(exported()) },
            { key: 'file', label: t('board.share.file'), run: () => download(exported(), `board-${project}.csv`) },
          ]}
        />
      </div>
    </div>
  );
}

function itemsOf(board: Board, places: ShownTasks['shown']): Item[] {
  return places.map((p) => board.tasks.get(p.id)).filter((i): i is Item => i !== undefined);
}

function download(text: string, file: string): void {
  const url = URL.createObjectURL(new Blob(['\ufeff', text], { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
