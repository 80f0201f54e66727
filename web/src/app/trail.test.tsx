import { act, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { createMemoryRouter, Outlet, RouterProvider, useLocation, useSearchParams } from 'react-router';
import { expect, test } from 'vitest';
import { useBackTo, useTrail } from './trail';

function Root() {
  useTrail();
  const { pathname, search, key } = useLocation();
  return (
    <>
      <p>{`at ${pathname}${search}`}</p>
      <p data-testid="key">{key}</p>
      <Outlet />
    </>
  );
}

function Task() {
  const back = useBackTo('/list/');
  const [, setSearch] = useSearchParams();
  return (
    <>
      <button type="button" onClick={() => setSearch({ node: '3' }, { replace: true })}>
        node
      </button>
      <button type="button" onClick={back}>
        back
      </button>
    </>
  );
}

test('the way back is the entry before where that is the screen, else the screen as it was seen last', async () => {
  const router = createMemoryRouter(
    [
      {
        element: <Root />,
        children: [
          { path: '/list/', element: null },
          { path: '/task', element: <Task /> },
          { path: '/board', element: null },
        ],
      },
    ],
    { initialEntries: ['/task'] },
  );
  render(<RouterProvider router={router} />);
  const user = userEvent.setup();
  const press = (name: string) => user.click(screen.getByRole('button', { name }));
  const at = (address: string) => screen.findByText(`at ${address}`);
  const key = () => screen.getByTestId('key').textContent;

  // Whoever begins at the task has seen no list.
  await press('back');
  await at('/list/');
  await act(() => router.navigate('/list/?q=mine'));
  const list = key();
  await act(() => router.navigate('/task'));
  await press('node'); // another address in the place of this one
  await at('/task?node=3');
  await press('back');
  await at('/list/?q=mine');
  expect(key()).toBe(list);

  await act(() => router.navigate(1)); // forward again, from where it goes back the same way
  await at('/task?node=3');
  await press('back');
  expect(key()).toBe(list);

  await act(() => router.navigate('/board'));
  await act(() => router.navigate('/task'));
  await press('back');
  await at('/list/?q=mine');
  expect(key()).not.toBe(list);
});
