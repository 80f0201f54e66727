import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { useI18n } from '../../i18n';
import { Dialog, errorSentence, Icon, StateShape, TextInput, useKeys } from '../../ui';
import { type Entry, matching, stepFrom } from './entries';
import { useSections } from './useSections';
import './palette.css';

/**
 * Leads to screens, tasks and views, and to what can be done, by typing a part of the name. The focus stays in the box; the
 * arrows move in the list below it.
 */
export default function Palette({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const { t } = useI18n();
  return (
    <Dialog title={t('app.palette')} onClose={onClose}>
      <Content onClose={onClose} onHelp={onHelp} />
    </Dialog>
  );
}

function Content({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const { t } = useI18n();
  const id = useId();
  const [text, setText] = useState('');
  const [wanted, setWanted] = useState<string>();
  const list = useRef<HTMLDivElement>(null);
  const all = useSections(text, onHelp);
  const sections = matching(all.sections, text);
  const entries = sections.flatMap((s) => s.entries);
  const keys = entries.map((e) => e.key);
  // What comes from the server later pushes nothing away from under the choice.
  const active = keys.includes(wanted ?? '') ? wanted : keys[0];
  const place = (key: string) => `${id}-${keys.indexOf(key)}`;
  useKeys(t('app.palette'), [{ keys: 'Mod+k', label: t('ui.close'), inText: true, run: onClose }]);
  useEffect(() => {
    if (active !== undefined)
      list.current?.querySelector('[aria-selected=true]')?.scrollIntoView?.({ block: 'nearest' });
  }, [active]);

  const run = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    entry.run();
  };
  const press = (e: KeyboardEvent) => {
    if (e.nativeEvent.isComposing) return; // the arrows and Enter belong to what is being composed
    if (e.key === 'ArrowDown') setWanted(stepFrom(keys, active, 1));
    else if (e.key === 'ArrowUp') setWanted(stepFrom(keys, active, -1));
    else if (e.key === 'PageDown') setWanted(keys[Math.min(keys.length - 1, keys.indexOf(active ?? '') + 8)]);
    else if (e.key === 'PageUp') setWanted(keys[Math.max(0, keys.indexOf(active ?? '') - 8)]);
    else if (e.key === 'Enter') run(entries.find((entry) => entry.key === active));
    else return;
    e.preventDefault();
  };
  return (
    <div className="palette">
      <div className="palette-box">
        <Icon name="search" size={14} />
        <TextInput
          data-focus
          role="combobox"
          aria-label={t('app.palette.find')}
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={active === undefined ? undefined : place(active)}
          placeholder={t('app.palette.hint')}
          autoComplete="off"
          maxLength={200}
          value={text}
          onChange={(e) => {
            setText(e.target.value);
            setWanted(undefined);
          }}
          onKeyDown={press}
        />
      </div>
      <div
        ref={list}
        id={`${id}-list`}
        role="listbox"
        aria-label={t('app.palette')}
        className="palette-list"
        tabIndex={-1}
      >
        {sections.map((section) => (
          <div key={section.key} role="group" aria-labelledby={`${id}-${section.key}`}>
            <div id={`${id}-${section.key}`} className="palette-title" role="presentation">
              {section.title}
            </div>
            {section.entries.map((entry) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the box has the focus, and listens for keys
              <div
                key={entry.key}
                id={place(entry.key)}
                role="option"
                tabIndex={-1}
                aria-selected={entry.key === active}
                aria-current={entry.current || undefined}
                className="palette-entry"
                // The focus stays in the box.
                onPointerDown={(e) => e.preventDefault()}
                onClick={() => run(entry)}
              >
                {entry.state ? <StateShape look={entry.state} /> : <span className="palette-mark" aria-hidden="true" />}
                <bdi className="palette-label">{entry.label}</bdi>
                {entry.hint && <bdi className="palette-hint">{entry.hint}</bdi>}
                {entry.current && (
                  <span className="palette-hint">
                    <Icon name="check" size={12} /> {t('app.palette.current')}
                  </span>
                )}
              </div>
            ))}
          </div>
        ))}
      </div>
      <p className="palette-foot" role="status">
        {all.error
          ? errorSentence(all.error, t)
          : all.looking
            ? t('ui.loading')
            : t('app.palette.found', { count: keys.length })}
      </p>
    </div>
  );
}
