// What a browser has to load before the app shows anything stays small.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url);
const most = 350_000;

/** The scripts that index.html needs, with all that they import at once, and their sizes as they are sent. */
export function initialScripts() {
  const html = readFileSync(new URL('index.html', dist), 'utf8');
  const waiting = [...html.matchAll(/(?:src|href)="\.?\/?([^"]+\.js)"/g)].map((m) => new URL(m[1], dist));
  const sizes = new Map();
  for (let url = waiting.pop(); url; url = waiting.pop()) {
    if (sizes.has(url.href)) continue;
    const text = readFileSync(url, 'utf8');
    sizes.set(url.href, gzipSync(text).length);
    for (const [, to] of text.matchAll(/(?:from|import)\s*["'](\.[^"']+\.js)["']/g)) waiting.push(new URL(to, url));
  }
  return sizes;
}

export function size() {
  test('the first scripts are small', () => {
    const sizes = [...initialScripts().values()];
    const sum = sizes.reduce((a, b) => a + b, 0);
    assert.ok(sizes.length > 0 && sum > 50_000, 'they were found');
    assert.ok(sum <= most, `${sum} of at most ${most} bytes`);
  });
}
