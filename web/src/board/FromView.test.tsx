import { QueryClientProvider } from '@tanstack/react-query';
import { act, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { createMemoryRouter, RouterProvider } from 'react-router';
import { expect, test } from 'vitest';
import { makeQueryClient } from '../app/query';
import { I18nProvider } from '../i18n';
import { reply, serve } from '../testing/server';
import { FromView } from './FromView';

test('a view is asked for once, and who has gone elsewhere meanwhile stays there', async () => {
  const held: (() => void)[] = [];
  const { asked, close } = await serve((one, res) => {
    if (!one.url.includes('/tasks')) return reply(res, { user: 'ann', fresh: false });
    held.push(() => reply(res, { tasks: [{ id: 7 }] }));
  });
  const lists = () => asked.filter((one) => one.url.includes('/tasks')).length;
  const router = createMemoryRouter([
    { path: '/', element: <FromView project={1} /> },
    { path: '/elsewhere', element: null },
    { path: '/board/1/', element: null },
  ]);
  const client = makeQueryClient();
  render(
    <I18nProvider language="en">
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </I18nProvider>,
  );
  const view = () => screen.getByRole('button', { name: 'Running' });
  const settled = () => waitFor(() => expect(client.isMutating()).toBe(0));
  await userEvent.click(view());
  await waitFor(() => expect(lists()).toBe(1));
  expect(view().getAttribute('aria-busy')).toBe('true');
  await userEvent.click(view());
  expect(lists()).toBe(1);
  await act(() => router.navigate('/elsewhere'));
  held.shift()?.();
  await settled();
  expect(router.state.location.pathname).toBe('/elsewhere');

  await act(() => router.navigate('/'));
  await userEvent.click(view());
  await waitFor(() => expect(held).toHaveLength(1));
  held.shift()?.();
  await waitFor(() => expect(router.state.location.pathname).toBe('/board/1/'));
  expect(router.state.location.search).toBe('?ids=7');
  await close();
});
