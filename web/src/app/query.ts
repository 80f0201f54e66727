import { QueryClient } from '@tanstack/react-query';
import { ApiError } from '../api';

// Refusals that may be others a moment later.
const passing: readonly string[] = ['offline', 'unavailable', 'too_many'];

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry: (failures, error) => failures < 2 && error instanceof ApiError && passing.includes(error.code),
        retryDelay: (failures, error) =>
          (error instanceof ApiError ? error.retryAfter : undefined) ?? Math.min(8000, 500 * 2 ** failures),
        staleTime: 5000,
        refetchOnWindowFocus: true,
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  });
}
