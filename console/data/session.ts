import type { SessionInfo } from '../../src/gateway/console/api.ts';
import { createStore, useStore } from './store.ts';

/** Who is signed in: `undefined` while it is not known yet, `null` where nobody is. */
export const session = createStore<SessionInfo | null | undefined>(undefined);

/**
 * Whether whoever is signed in may do this (an action of the management side), drawn again when the session changes. Buttons for what they may not do are not
 * drawn; the server decides again.
 */
export function useMay(action: string): boolean {
  return useStore(session)?.may.includes(action) ?? false;
}
