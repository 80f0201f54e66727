import { expect, test } from 'vitest';
import { basename, safeNext } from './paths';

test('the router begins where the base of the page says', () => {
  expect(basename('https://h/')).toBe('/');
  expect(basename('https://h/stdops/')).toBe('/stdops');
  expect(basename('https://h/a/b/')).toBe('/a/b');
});

test('signing in leads to places of the app only', () => {
  expect(safeNext('/board/2/?ids=1')).toBe('/board/2/?ids=1');
  for (const bad of [null, '', 'https://evil', '//evil', '/\\evil', '/login', '/logout', '/login/abc?next=/x']) {
    expect(safeNext(bad), String(bad)).toBe('/');
  }
});
