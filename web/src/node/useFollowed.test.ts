import { renderHook } from '@testing-library/react';
import { expect, test } from 'vitest';
import { useFollowed } from './useFollowed';

function told() {
  const list: number[] = [];
  const hook = renderHook((of) => useFollowed(of, (attempt) => list.push(attempt)), {
    initialProps: { back: 0, attempts: 0, linked: '2' },
  });
  return { list, rerender: hook.rerender };
}

test('what the address names comes first until another attempt is chosen; the way back counts too', () => {
  const { list, rerender } = told();
  rerender({ back: 0, attempts: 5, linked: '2' });
  expect(list).toEqual([]);
  rerender({ back: 1, attempts: 5, linked: '2' });
  rerender({ back: 1, attempts: 5, linked: '4' }); // a line of it is named
  expect(list).toEqual([4]);
  rerender({ back: 0, attempts: 5, linked: '4' });
  expect(list).toEqual([4, 0]);
});

test('without a line in the address the choice is followed', () => {
  const { list, rerender } = told();
  rerender({ back: 9, attempts: 0, linked: '' });
  rerender({ back: 9, attempts: 3, linked: '' });
  expect(list).toEqual([1]);
});
