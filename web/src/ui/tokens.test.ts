import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const css = readFileSync('src/ui/tokens.css', 'utf8');
const tokens = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map((m) => [m[1], [m[2], m[3]]]),
);

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const c = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const grounds = ['ground', 'paper', 'raised', 'hover', 'chosen', 'failed-ground', 'attention-ground'];
const texts = ['ink', 'muted', 'accent', 'finished', 'running', 'failed', 'suspended', 'revoked'];
const pairs: [string, string, number][] = [
  ...grounds.flatMap((g) => texts.map((t) => [t, g, 4.5] as [string, string, number])),
  ['on-accent', 'accent', 4.5],
  ['on-failed', 'failed', 4.5],
  ['edge', 'paper', 3],
  ['edge', 'ground', 3],
];

test.each(pairs)('%s on %s has a contrast of at least %d in both themes', (front, back, least) => {
  for (const theme of [0, 1]) {
    const [a, b] = [tokens.get(front)?.[theme], tokens.get(back)?.[theme]];
    if (!a || !b) throw new Error(`no colour ${front} or ${back}`);
    expect(contrast(a, b), `theme ${theme}`).toBeGreaterThanOrEqual(least);
  }
});
