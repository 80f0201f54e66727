import type { Json, TaskConstant } from '../api';
import { type Change, equal, hidden, type InputFault, type InputField, readFields, written } from '../node';

/** A value of the task while it is edited. */
export interface Draft extends InputField {
  /** Its value is not shown: what is typed is a new one, and nothing keeps what there is. */
  secret: boolean;
}

/** Whether a value was given: what nodes give out begins as an empty text, which says nothing. */
export function isGiven(c: TaskConstant): boolean {
  return !c.output || (c.value !== '' && c.value !== null);
}

/** Whether the value of a variable is hidden, or would be. */
function isSecret({ kind, value }: TaskConstant): boolean {
  return kind === 'password' || value === hidden;
}

/** The variables that can be changed, as they are edited. */
export function draftsOf(constants: readonly TaskConstant[]): Draft[] {
  return constants.flatMap((c, id) => {
    if (!c.changeable) return [];
    const secret = isSecret(c);
    return [{ id, key: c.key, secret, ...(secret ? { text: '', json: false } : written(c.value)) }];
  });
}

/**
 * Gives the values that differ from those that the task has now, else what is wrong with which. `opened` is how the drafts
 * began: what nobody touched is not sent, whatever became of it meanwhile.
 */
export function newValues(
  drafts: readonly Draft[],
  opened: readonly Draft[],
  now: readonly TaskConstant[],
): { values?: { [key: string]: Json }; faults: Map<number, InputFault> } {
  const began = new Map(opened.map((d) => [d.id, d]));
  const touched = drafts.filter((d) => d.text !== began.get(d.id)?.text || d.json !== began.get(d.id)?.json);
  const { inputs, faults } = readFields(touched);
  if (!inputs) return { faults };
  const has = new Map(now.map((c) => [c.key, c.value]));
  const secret = new Set(drafts.filter((d) => d.secret).map((d) => d.key));
  const differs = ([key, value]: [string, Json]) => secret.has(key) || !equal(has.get(key) ?? null, value);
  return { values: Object.fromEntries(Object.entries(inputs).filter(differs)), faults };
}

/** What changes, without what is secret: of that is said that there is a new one. */
export function paramChanges(
  values: { [key: string]: Json },
  drafts: readonly Draft[],
  now: readonly TaskConstant[],
  newSecret: string,
): Change[] {
  const has = new Map(now.map((c) => [c.key, c.value]));
  const secret = new Set(drafts.filter((d) => d.secret).map((d) => d.key));
  return Object.entries(values).map(([key, after]) =>
    secret.has(key) ? { key, before: hidden, after: newSecret } : { key, before: has.get(key), after },
  );
}

/** The variables that somebody else gave another value since the drafts were opened. */
export function changedMeanwhile(
  values: { [key: string]: Json },
  opened: readonly TaskConstant[],
  now: readonly TaskConstant[],
): string[] {
  const had = new Map(opened.map((c) => [c.key, c.value]));
  return now.filter((c) => Object.hasOwn(values, c.key) && !equal(had.get(c.key) ?? null, c.value)).map((c) => c.key);
}
