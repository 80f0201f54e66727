import type { TaskState } from '../../api/types';

/** A line of the palette. */
export interface Entry {
  key: string;
  label: string;
  /** What else is known of it; it is searched too. */
  hint?: string;
  /** The shape in front of it. */
  state?: TaskState;
  /** Whether it is how things are already. */
  current?: boolean;
  run: () => void;
}

export interface Section {
  key: string;
  title: string;
  entries: readonly Entry[];
  /** They were found by the server: what was typed counts as found in them. */
  found?: boolean;
}

/**
 * Leaves what has all words that were typed, in any order; in each section what begins with the first of them, or has a word
 * that does, comes before what has it inside.
 */
export function matching(sections: readonly Section[], text: string): Section[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const left: Section[] = [];
  for (const section of sections) {
    if (section.entries.length === 0) continue;
    if (section.found || words.length === 0) {
      left.push(section);
      continue;
    }
    const ranked: { entry: Entry; rank: number }[] = [];
    for (const entry of section.entries) {
      const rank = rankOf(`${section.title} ${entry.hint ?? ''}`.toLowerCase(), entry.label.toLowerCase(), words);
      if (rank !== undefined) ranked.push({ entry, rank });
    }
    // Of alike ones the order stays.
    ranked.sort((a, b) => a.rank - b.rank);
    if (ranked.length > 0) left.push({ ...section, entries: ranked.map((r) => r.entry) });
  }
  return left;
}

function rankOf(about: string, label: string, words: readonly string[]): number | undefined {
  if (!words.every((w) => label.includes(w) || about.includes(w))) return undefined;
  const [first = ''] = words;
  if (label.startsWith(first)) return 0;
  if (label.includes(` ${first}`)) return 1;
  return label.includes(first) ? 2 : 3;
}

/** The id of a task that was typed, if it may be one. */
export function idIn(text: string): number | undefined {
  const id = /^#?(\d{1,15})$/.exec(text.trim())?.[1];
  return id !== undefined && Number(id) > 0 ? Number(id) : undefined;
}

/** Where the arrows lead to from an entry; at the ends around to the other one. */
export function stepFrom(keys: readonly string[], at: string | undefined, step: 1 | -1): string | undefined {
  const from = at === undefined ? -1 : keys.indexOf(at);
  if (from < 0) return step > 0 ? keys[0] : keys.at(-1);
  return keys[(from + step + keys.length) % keys.length];
}
