import { describe, expect, it } from 'vitest';
import { mapOf } from './map';

describe('the overview', () => {
  it('scales both sides alike where the graph is about as wide as high', () => {
    const { w, h, sx, sy } = mapOf({ w: 3600, h: 1800 });
    expect([w, h]).toEqual([180, 90]);
    expect(sx).toBeCloseTo(sy);
  });

  it('is no sliver of a graph that is all length', () => {
    const row = mapOf({ w: 70_000, h: 62 });
    expect([row.w, row.h]).toEqual([320, 40]);
    expect(62 * row.sy).toBeCloseTo(40);
    const column = mapOf({ w: 180, h: 25_000 });
    expect([column.w, column.h]).toEqual([64, 200]);
  });
});
