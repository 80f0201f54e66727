import { expect, test } from 'vitest';
import { idIn, matching, type Section, stepFrom } from './entries';

const section = (key: string, ...labels: string[]): Section => ({
  key,
  title: key,
  entries: labels.map((label) => ({ key: `${key}/${label}`, label, run: () => {} })),
});
const labels = (sections: readonly Section[]) => sections.map((s) => [s.key, s.entries.map((e) => e.label)]);

test('all words have to be there, in any order, also in the title of the section and in the hint', () => {
  const sections = [section('Theme', 'Light', 'Dark'), section('Go to', 'Board', 'Tasks')];
  expect(labels(matching(sections, 'da THEME'))).toEqual([['Theme', ['Dark']]]);
  expect(labels(matching(sections, 'board'))).toEqual([['Go to', ['Board']]]);
  expect(matching(sections, 'board dark')).toEqual([]);
  expect(labels(matching(sections, '  '))).toEqual(labels(sections));
  const hinted = [{ ...section('Go to'), entries: [{ key: 'x', label: 'walks', hint: 'Project', run: () => {} }] }];
  expect(matching(hinted, 'project')).toHaveLength(1);
});

test('what begins with what was typed comes first, then a word that does', () => {
  const found = matching([section('s', 'a startle', 'restart', 'Start a task', 'other')], 'start');
  expect(labels(found)).toEqual([['s', ['Start a task', 'a startle', 'restart']]]);
});

test('what the server found is not searched again, and what is empty is left out', () => {
  const sections = [{ ...section('Tasks', 'Release'), found: true }, section('none')];
  expect(labels(matching(sections, '17'))).toEqual([['Tasks', ['Release']]]);
});

test('a number is the id of a task', () => {
  expect(['12', ' #12 ', '0', '12a', '', '1'.repeat(16)].map(idIn)).toEqual([
    12,
    12,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test('arrows go around, and begin at an end', () => {
  const keys = ['a', 'b', 'c'];
  expect(stepFrom(keys, 'c', 1)).toBe('a');
  expect(stepFrom(keys, 'a', -1)).toBe('c');
  expect(stepFrom(keys, 'gone', 1)).toBe('a');
  expect(stepFrom(keys, undefined, -1)).toBe('c');
  expect(stepFrom([], undefined, 1)).toBeUndefined();
});
