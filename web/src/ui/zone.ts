import { createContext, useContext } from 'react';

/** The zone of the project, else of the server; undefined while it is not known. */
export const ServerZone = createContext<string | undefined>(undefined);

export function useServerZone(): string | undefined {
  return useContext(ServerZone);
}
