import type { en } from './en';

/** The forms of a message that counts, by the categories of Intl.PluralRules. */
export type Plural = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };
export type Message = string | Plural;

/** The same keys, with texts where there are texts and plural forms where there are plural forms. */
export type Same<T> = { readonly [K in keyof T]: T[K] extends string ? string : Plural };

export type Messages = Same<typeof en>;
export type Key = keyof Messages;

/** Chooses the form for a count. */
export function formOf(message: Message, count: number | undefined, rules: Intl.PluralRules): string {
  if (typeof message === 'string') return message;
  return (count === undefined ? undefined : message[rules.select(count)]) ?? message.other;
}

/** Splits a text at its `{names}`: texts stand at even places, names at odd ones. */
export function partsOf(text: string): string[] {
  return text.split(/\{(\w+)\}/);
}
