import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useMatches } from 'react-router';
import { api, onSignedOut, type Session } from '../api';

/** Who has the session of this browser, with the zone of the server. */
export function useSession() {
  return useQuery({ queryKey: ['session'], queryFn: ({ signal }) => api.session(signal), staleTime: 60_000 });
}

/** Forgets who was signed in as soon as the server does: the screen gives way to the sign-in then. */
export function useForgetting(): void {
  const client = useQueryClient();
  useEffect(() => onSignedOut(() => client.setQueryData<Session>(['session'], { fresh: false })), [client]);
}

export function useProjects() {
  return useQuery({ queryKey: ['projects'], queryFn: ({ signal }) => api.projects(signal), staleTime: 30_000 });
}

/** A project with its administrators and what the caller may do in it. */
export function useProject(id: number) {
  return useQuery({
    queryKey: ['project', id],
    queryFn: ({ signal }) => api.project(id, signal),
    staleTime: 30_000,
    enabled: id > 0,
  });
}

/** The project of the address, 0 where it names none. */
export function useProjectId(): number {
  const project = useMatches().at(-1)?.params.project;
  return project !== undefined && /^\d{1,15}$/.test(project) ? Number(project) : 0;
}
