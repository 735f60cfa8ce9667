import type { Store } from '../../store/index.ts';

/**
 * Ends every session and takes every one-time link that was not used yet: for a store that was put back from a backup, in which somebody who signed out since would be signed in again.
 * Keys are not touched. Errors: those of the store.
 */
export async function signOutAll(store: Pick<Store, 'transact'>, at: number, by: string): Promise<void> {
  await store.transact(async (db) => {
    await db.updateTable('sessions').set({ ended: at, ended_by: by }).where('ended', 'is', null).execute();
    await db.updateTable('links').set({ used: at }).where('used', 'is', null).execute();
  });
}
