import { useEffect, useRef, useState } from 'react';
import type { Flow } from '../api';
import { useI18n } from '../i18n';
import { Icon, Menu, TextInput } from '../ui';
import { parseQuery, printQuery, type QueryFault, type Range, ranges, stateWords, type TaskQuery } from './query';

const patience = 400;

/** The box with the query, the range, and a chip for each part of the query that can be taken out. */
export function QueryBox({
  text,
  onText,
  range,
  onRange,
  flows,
  faults,
}: {
  text: string;
  onText: (text: string) => void;
  range: Range;
  onRange: (range: Range) => void;
  flows: readonly Flow[];
  faults: readonly QueryFault[];
}) {
  const { t } = useI18n();
  const [draft, setDraft] = useState(text);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => setDraft(text), [text]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const apply = (value: string) => {
    clearTimeout(timer.current);
    if (value.trim() !== text) onText(value.trim());
  };
  const { query } = parseQuery(text);
  return (
    <search className="query">
      <form
        className="query-form"
        onSubmit={(e) => {
          e.preventDefault();
          apply(draft);
        }}
      >
        <Icon name="search" size={14} />
        <TextInput
          type="search"
          data-search
          list="query-words"
          aria-label={t('tasks.query')}
          aria-invalid={faults.length > 0 || undefined}
          aria-describedby="query-faults"
          placeholder={t('tasks.query.hint')}
          value={draft}
          onChange={(e) => {
            const value = e.target.value;
            setDraft(value);
            clearTimeout(timer.current);
            timer.current = setTimeout(() => apply(value), patience);
          }}
          onKeyDown={(e) => {
            if (e.key !== 'Escape') return;
            e.preventDefault();
            e.currentTarget.blur();
          }}
          onBlur={() => apply(draft)}
        />
        <datalist id="query-words">
          {Object.values(stateWords).map((word) => (
            <option key={word} value={`state:${word}`} />
          ))}
          <option value="is:waiting" />
          <option value="is:slow" />
          <option value="by:@me" />
          <option value="executor:@me" />
          {flows.slice(0, 100).map((f) => (
            <option key={f.id} value={printQuery({ flow: f.name, text: '' })} />
          ))}
        </datalist>
      </form>
      <div className="chips">
        <Menu
          align="start"
          head={t('tasks.range')}
          button={{
            small: true,
            className: 'chip',
            'aria-label': `${t('tasks.range')}: ${t(`tasks.range.${range}`)}`,
            children: (
              <>
                {t(`tasks.range.${range}`)}
                <Icon name="down" size={12} />
              </>
            ),
          }}
          items={ranges.map((key) => ({
            key,
            label: t(`tasks.range.${key}`),
            checked: key === range,
            run: () => onRange(key),
          }))}
        />
        <Chips query={query} onChange={(q) => onText(printQuery(q))} />
      </div>
      <p id="query-faults" className="query-faults" role="status">
        {faults.map((f) => t(`tasks.fault.${f.kind}`, { word: f.word })).join(' ')}
      </p>
    </search>
  );
}

function Chips({ query, onChange }: { query: TaskQuery; onChange: (query: TaskQuery) => void }) {
  const { t } = useI18n();
  const parts = (['waiting', 'slow', 'state', 'flow', 'by', 'executor'] as const).filter((p) => query[p] !== undefined);
  return parts.map((part) => {
    const text = printQuery({ text: '', [part]: query[part] });
    return (
      <button
        key={part}
        type="button"
        className="button button-small chip"
        aria-label={t('tasks.chip.remove', { chip: text })}
        onClick={() => onChange({ ...query, [part]: undefined })}
      >
        <span>{text}</span>
        <Icon name="close" size={12} />
      </button>
    );
  });
}
