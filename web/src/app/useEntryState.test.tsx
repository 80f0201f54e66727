import { act, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { createMemoryRouter, RouterProvider, useNavigate, useSearchParams } from 'react-router';
import { expect, test } from 'vitest';
import { useEntryState } from './useEntryState';

const none: readonly number[] = [];

function List() {
  const [chosen, setChosen] = useEntryState('chosen', none);
  const [, setSearch] = useSearchParams();
  const navigate = useNavigate();
  return (
    <>
      <p>chosen: {chosen.join()}</p>
      <button type="button" onClick={() => setChosen((old) => [...old, old.length + 1])}>
        choose
      </button>
      <button type="button" onClick={() => setSearch({ view: 'grid' }, { replace: true })}>
        grid
      </button>
      <button type="button" onClick={() => void navigate('/task')}>
        open
      </button>
    </>
  );
}

test('who comes back finds what was chosen, who comes anew does not', async () => {
  const router = createMemoryRouter([
    { path: '/', element: <List /> },
    { path: '/task', element: <p>a task</p> },
  ]);
  render(<RouterProvider router={router} />);
  const user = userEvent.setup();
  const press = (name: string) => user.click(screen.getByRole('button', { name }));
  await press('choose');
  await press('choose');
  await press('grid'); // another address in the place of this one
  await press('open');
  await screen.findByText('a task');
  await act(() => router.navigate(-1));
  await screen.findByText('chosen: 1,2');
  await act(() => router.navigate(1));
  await act(() => router.navigate('/'));
  expect((await screen.findByText(/chosen/)).textContent).toBe('chosen: ');
  await act(() => router.navigate(-2));
  await screen.findByText('chosen: 1,2');
});
