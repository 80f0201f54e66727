import { useState } from 'react';
import { useI18n } from '../i18n';
import { CopyButton, Dialog, Tabs } from '../ui';
import { nativeRequest, sopsRequest } from './export';

/** Shows the requests by which a program gets what the board shows. */
export function Request({ project, ids, onClose }: { project: number; ids: readonly number[]; onClose: () => void }) {
  const { t } = useI18n();
  const [tab, setTab] = useState<'sops' | 'native'>('sops');
  const text =
    tab === 'sops' ? sopsRequest(document.baseURI, project, ids) : nativeRequest(document.baseURI, project, ids);
  return (
    <Dialog title={t('board.request')} wide onClose={onClose}>
      <Tabs
        label={t('board.request')}
        tabs={[
          { key: 'sops', label: 'get_tasks_status' },
          { key: 'native', label: 'tasks:status' },
        ]}
        current={tab}
        onChange={setTab}
      >
        <p className="board-request-text">{t(tab === 'sops' ? 'board.request.sops' : 'board.request.native')}</p>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
        <pre className="board-request" tabIndex={0}>
          {text}
        </pre>
        <CopyButton text={text} word />
      </Tabs>
    </Dialog>
  );
}
