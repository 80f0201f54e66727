import { describe, expect, it } from 'vitest';
import type { Look } from '../ui';
import { makeGraph } from './fixtures';
import { makeView } from './fold';
import { makeTree } from './model';
import { nextShown, step } from './move';
import { shownOf } from './only';

const looks = (of: Record<number, Look>) => (key: number) => of[key] ?? 'FINISHED';
const sorted = (keys: ReadonlySet<number>) => [...keys].sort((a, b) => a - b);

describe('only what failed or is at work', () => {
  // 1 → 2 → 3 → 4 → 5 → 6, and 9 → 10 → 11 in the subprocess 4.
  const inner = { 9: { parent: 4 }, 10: { parent: 4 }, 11: { parent: 4 } };
  const tree = makeTree(makeGraph('1>2 2>3 3>4 4>5 5>6 9>10 10>11', { 4: { kind: 'SubProcess' }, ...inner }));
  const folded = makeView(tree, { open: new Set(), folded: new Set() });
  const open = makeView(tree, { open: new Set([4]), folded: new Set() });

  it('is shown with what stands next to it', () => {
    expect(sorted(shownOf(folded, looks({ 2: 'FAILED' }), undefined))).toEqual([1, 2, 3]);
    expect(sorted(shownOf(folded, looks({ 5: 'RUNNING', 2: 'NODE_SUSPENDED' }), undefined))).toEqual([
      1, 2, 3, 4, 5, 6,
    ]);
    expect(sorted(shownOf(folded, looks({}), undefined))).toEqual([]);
  });

  it('is shown with the frame around it, which is nothing by itself', () => {
    expect(sorted(shownOf(open, looks({ 4: 'RUNNING', 9: 'FAILED' }), undefined))).toEqual([4, 9, 10]);
  });

  it('leaves what the keyboard is on', () => {
    expect(sorted(shownOf(open, looks({ 1: 'FAILED' }), 11))).toEqual([1, 2, 4, 11]);
  });

  it('is what arrows lead to, over what is hidden', () => {
    const shown = shownOf(folded, looks({ 1: 'FAILED', 6: 'FAILED' }), undefined);
    const boxes = new Map([...shown].map((key) => [key, { x: 100 * key, y: 0, w: 50, h: 50 }]));
    expect(sorted(shown)).toEqual([1, 2, 5, 6]);
    expect(step(folded, boxes, 1, 'right')).toBe(2);
    expect(step(folded, boxes, 2, 'right')).toBeUndefined();
    expect(nextShown(tree.order, folded, shown, 2, 1)).toBe(5);
    expect(nextShown(tree.order, folded, shown, 5, -1)).toBe(2);
    expect(nextShown(tree.order, folded, shown, 6, 1)).toBeUndefined();
  });
});
