import { describe, expect, it } from 'vitest';
import type { Paint, Scene } from './canvas';
import { lineOf } from './edges';
import { linesOf, marksOf, scaleOf, svgAround, svgOf, xmlText } from './picture';

const wide = (text: string) => Array.from(text).length;

const paint = {
  ground: '#fff',
  paper: '#fff',
  raised: '#eee',
  ink: '#000',
  muted: '#666',
  rule: '#ddd',
  edge: '#999',
  accent: '#00f',
  font: '"A & B", sans-serif',
  looks: new Proxy({}, { get: () => '#123456' }),
} as unknown as Paint;

describe('a picture of the graph', () => {
  const box = (x: number) => ({ x, y: 0, w: 180, h: 62 });
  const scene = {
    shapes: [
      { key: 1, box: box(0), form: 'card', name: '' },
      { key: 2, box: box(300), form: 'card', name: '' },
      { key: 3, box: box(600), form: 'diamond', name: '' },
    ],
    lines: [
      lineOf({ from: 1, to: 2, edges: [] }, box(0), box(300), 'a < b'),
      lineOf({ from: 2, to: 3, edges: [] }, box(300), box(600), ''),
    ],
    look: () => 'FAILED',
    taken: () => false,
    hidden: (key: number) => key === 3,
  } as unknown as Scene;
  const names: Record<number, string> = { 1: '</text><script>alert(1)</script>', 2: 'Two' };
  const write = () => {
    const words = { name: (key: number) => names[key] ?? '', state: () => 'Failed', measure: wide };
    const { head, tail } = svgAround(box(0), paint, '<b> & "c" \u0000\ud800');
    return head + [...marksOf(scene, paint, words)].map(svgOf).join('') + tail;
  };

  it('is XML in which names are texts and nothing else', () => {
    const read = new DOMParser().parseFromString(write(), 'image/svg+xml');
    expect(read.querySelector('parsererror')).toBeNull();
    expect(read.querySelector('script')).toBeNull();
    expect(read.querySelector('title')?.textContent).toBe('<b> & "c" \ufffd\ufffd');
    expect(read.documentElement.getAttribute('font-family')).toBe('"A & B", sans-serif');
    const texts = [...read.querySelectorAll('text')].map((t) => t.textContent);
    expect(texts).toContain('a < b');
    expect(texts).toContain('</text><script>alert(1)</script>');
    // The state is a word too, and what is hidden is not there.
    expect(texts.filter((t) => t === 'Failed')).toHaveLength(2);
  });

  it('escapes what XML reads, and takes out what it does not know', () => {
    expect(xmlText(`a<b>&"'\u0001\ufffe😀\udfff`)).toBe('a&lt;b&gt;&amp;&quot;&#39;\ufffd\ufffd😀\ufffd');
  });

  it('breaks long names into lines and tells what is left out', () => {
    expect(linesOf('push the files', 20, 2, wide)).toEqual(['push the files']);
    expect(linesOf('push the files to all', 12, 2, wide)).toEqual(['push the', 'files to all']);
    expect(linesOf('push the files to all of them', 12, 2, wide)).toEqual(['push the', 'files to al…']);
    expect(linesOf('将所有生产环境服务器', 4, 2, wide)).toEqual(['将所有生', '产环境…']);
    expect(linesOf('', 4, 2, wide)).toEqual([]);
  });

  it('is as large as browsers can make it', () => {
    expect(scaleOf({ w: 800, h: 600 })).toBe(2);
    expect(scaleOf({ w: 70_000, h: 100 })).toBeCloseTo(16_000 / 70_000);
    const { w, h } = { w: 9000, h: 9000 };
    expect(w * h * scaleOf({ w, h }) ** 2).toBeLessThanOrEqual(40_000_001);
  });
});
