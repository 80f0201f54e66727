import { useState } from 'react';
import { useI18n } from '../i18n';
import { kindKey, lookWord, Menu, useToast } from '../ui';
import { manyName } from './Cards';
import type { Paint } from './canvas';
import { exportGraph, save } from './export';
import { plainName } from './model';
import { BarLabel } from './Tools';
import { type LiveScene, reachOf } from './useScene';

/** Saves the graph as a picture. */
export function Export({
  task,
  live,
  paint,
  shown,
}: {
  task: { id: number; name: string };
  live: LiveScene;
  paint: Paint | undefined;
  shown: ReadonlySet<number> | undefined;
}) {
  const { t, number } = useI18n();
  const toast = useToast();
  const [busy, setBusy] = useState(false);
  const run = async (kind: 'svg' | 'png') => {
    if (!paint || busy) return;
    setBusy(true);
    // Names of tasks are anything; their numbers are safe in every file system.
    const file = `task-${task.id}.${kind}`;
    try {
      const { blob, scale } = await exportGraph(kind, {
        scene: live.scene,
        box: reachOf(live, shown),
        paint,
        title: `${plainName(task.name)} #${task.id}`,
        name: (key) => {
          const item = live.view.item.get(key);
          if (!item) return '';
          return plainName(manyName(item, t, number)) || t(kindKey(item.node.kind));
        },
        state: (look) => t(lookWord(look)),
      });
      save(blob, file);
      if (scale >= 1) toast(t('task.graph.exported', { file }));
      else toast(t('task.graph.reduced', { file, percent: `${number(Math.max(1, Math.round(scale * 100)))} %` }));
    } catch {
      toast(t('task.graph.notExported'));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Menu
      button={{
        small: true,
        title: t('task.graph.export'),
        children: <BarLabel sign="download" word={t('task.graph.export')} />,
        'aria-disabled': busy || undefined,
      }}
      items={[
        { key: 'svg', label: t('task.graph.export.svg'), run: () => void run('svg') },
        { key: 'png', label: t('task.graph.export.png'), run: () => void run('png') },
      ]}
    />
  );
}
