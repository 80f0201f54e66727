import { useState } from 'react';
import type { Json } from '../api';
import { useI18n } from '../i18n';
import { Button, Icon } from '../ui';
import { Long, Plain } from './Text';

/** How many entries of an object or a list are shown at first. */
const page = 100;

/** Values shorter than this are open at first. */
const small = 400;

/** A value: texts as they are, the rest as a tree that folds. */
export function JsonView({ value }: { value: Json }) {
  if (typeof value === 'string') {
    return value === '' ? <span className="json-quiet">""</span> : <Long text={value} />;
  }
  if (value === null || typeof value !== 'object') return <Leaf value={value} />;
  return (
    <div className="json">
      <Branch value={value} open={roughSize(value, small) < small || Object.keys(value).length <= 8} depth={0} />
    </div>
  );
}

function Leaf({ value }: { value: null | boolean | number | string }) {
  if (typeof value === 'string') return <Text value={value} />;
  return <code className={value === null ? 'json-quiet' : 'json-plain'}>{String(value)}</code>;
}

function Text({ value }: { value: string }) {
  if (value.length <= 300 && !value.includes('\n')) {
    return (
      <code className="json-text">
        "<Plain text={value} />"
      </code>
    );
  }
  return <Long text={value} className="json-text" />;
}

function Branch({
  value,
  open: first,
  depth,
}: {
  value: Json[] | { [key: string]: Json };
  open: boolean;
  depth: number;
}) {
  const { t, number } = useI18n();
  const [open, setOpen] = useState(first);
  const [shown, setShown] = useState(page);
  const list = Array.isArray(value);
  const keys = list ? value.slice(0, shown).map((_, i) => String(i)) : Object.keys(value).slice(0, shown);
  const count = list ? value.length : Object.keys(value).length;
  if (count === 0) return <code className="json-quiet">{list ? '[]' : '{}'}</code>;
  return (
    <>
      <button type="button" className="json-fold" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name={open ? 'down' : 'right'} size={12} />
        <span className="json-quiet">{list ? t('node.json.list', { count }) : t('node.json.object', { count })}</span>
      </button>
      {open && (
        <ul className="json-branch">
          {keys.map((key) => {
            const item = (list ? value[Number(key)] : value[key]) as Json;
            return (
              <li key={key}>
                <code className="json-key">
                  <Plain text={key.length > 300 ? `${key.slice(0, 300)}…` : key} />
                </code>{' '}
                {item !== null && typeof item === 'object' ? (
                  <Branch value={item} open={depth < 1 && roughSize(item, small) < small} depth={depth + 1} />
                ) : (
                  <Leaf value={item} />
                )}
              </li>
            );
          })}
          {count > shown && (
            <li>
              <Button small onClick={() => setShown(shown + 10 * page)}>
                {t('node.json.more', { size: number(count - shown) })}
              </Button>
            </li>
          )}
        </ul>
      )}
    </>
  );
}

/** About how many characters a value takes, counted up to a bound. */
export function roughSize(value: Json, bound: number): number {
  if (typeof value === 'string') return value.length + 2;
  if (value === null || typeof value !== 'object') return 5;
  let size = 2;
  for (const [key, item] of Object.entries(value)) {
    size += key.length + 4 + roughSize(item, bound - size);
    if (size >= bound) return size;
  }
  return size;
}

/** A value as it is copied: texts as they are, the rest as JSON. */
export function copyOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value, undefined, 2);
}
