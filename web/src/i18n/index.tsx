import { createContext, Fragment, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import { en } from './en';
import { formOf, type Key, type Messages, partsOf } from './message';
import { zhCN } from './zh-CN';

export type { Key } from './message';

export type Language = 'en' | 'zh-CN';

export const languages: readonly { code: Language; name: string }[] = [
  { code: 'en', name: 'English' },
  { code: 'zh-CN', name: '简体中文' },
];

const messages: Record<Language, Messages> = { en, 'zh-CN': zhCN };

type Value = string | number;
type Values = Record<string, Value> & { count?: number };
type Nodes = Record<string, ReactNode> & { count?: number };

export interface I18n {
  language: Language;
  setLanguage: (language: Language) => void;
  /** Gives a message as text. */
  t: (key: Key, values?: Values) => string;
  /** Gives a message with elements in it. */
  tx: (key: Key, values: Nodes) => ReactNode;
  /** Writes a number as the language does. */
  number: (n: number) => string;
  /** Compares names as the language sorts them. */
  compare: (a: string, b: string) => number;
}

/** Whether there is a message of that key, which was put together. */
export function isKey(key: string): key is Key {
  return Object.hasOwn(en, key);
}

/** Makes the functions of a language. */
export function speak(language: Language): Omit<I18n, 'setLanguage'> {
  const rules = new Intl.PluralRules(language);
  const numbers = new Intl.NumberFormat(language);
  const collator = new Intl.Collator(language, { numeric: true });
  const parts = (key: Key, count: number | undefined) => partsOf(formOf(messages[language][key], count, rules));
  const shown = <T,>(value: T | undefined, name: string) => {
    if (value === undefined) return `{${name}}`;
    return typeof value === 'number' ? numbers.format(value) : value;
  };
  return {
    language,
    t: (key, values = {}) =>
      parts(key, values.count)
        .map((part, i) => (i % 2 === 0 ? part : shown(values[part], part)))
        .join(''),
    tx: (key, values) =>
      parts(key, values.count).map((part, i) => (
        <Fragment key={i}>{i % 2 === 0 ? part : shown(values[part], part)}</Fragment>
      )),
    number: (n) => numbers.format(n),
    compare: collator.compare,
  };
}

const kept = 'stdops.language';

/** The language that was chosen, else the first of the browser's that there is. */
export function initialLanguage(chosen: string | null, wanted: readonly string[]): Language {
  const known = languages.find((l) => l.code === chosen);
  if (known) return known.code;
  for (const tag of wanted) {
    if (/^zh\b/i.test(tag)) return 'zh-CN';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}

function stored(): string | null {
  try {
    return localStorage.getItem(kept);
  } catch {
    return null;
  }
}

const Context = createContext<I18n | undefined>(undefined);

export function I18nProvider({ children, language: fixed }: { children: ReactNode; language?: Language }) {
  const [language, setLanguage] = useState<Language>(() => fixed ?? initialLanguage(stored(), navigator.languages));
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const value = useMemo<I18n>(
    () => ({
      ...speak(language),
      setLanguage: (chosen) => {
        setLanguage(chosen);
        try {
          localStorage.setItem(kept, chosen);
        } catch {
          // It holds until the page is closed, then.
        }
      },
    }),
    [language],
  );
  return <Context value={value}>{children}</Context>;
}

export function useI18n(): I18n {
  const value = useContext(Context);
  if (!value) throw new Error('useI18n needs an I18nProvider');
  return value;
}
