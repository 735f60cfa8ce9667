import type { SessionInfo } from '../../src/gateway/console/api.ts';
import { AskError, ask, tell } from '../data/ask.ts';
import { session } from '../data/session.ts';
import { createStore } from '../data/store.ts';

/** Why signing in did not work; undefined where nothing went wrong. */
export const signInProblem = createStore<string | undefined>(undefined);

/** Why a provider's answer signed nobody in, by what the server says behind `#refused=`. */
const REFUSED: Readonly<Record<string, string>> = {
  expired: 'That took too long, or began in another browser. Sign in again.',
  denied: 'Signing in was called off.',
  failed: 'The provider could not be asked, or its answer does not hold. The process log says more.',
  'no-role': 'You have no role here. Ask somebody who gives them.',
  throttled: 'Too many attempts from this address. Wait a minute.',
};

/**
 * Finds out who is signed in. A one-time link carries its secret behind `#`, which is sent to no server: it is taken out of the address first, so that no
 * history and no screenshot keeps it.
 */
export async function signIn(): Promise<void> {
  const link = new URLSearchParams(location.hash.slice(1)).get('link');
  if (link !== null) {
    history.replaceState(null, '', `${location.pathname}${location.search}`);
    await useLink(link);
    return;
  }
  const refused = new URLSearchParams(location.hash.slice(1)).get('refused');
  if (refused !== null) {
    history.replaceState(null, '', `${location.pathname}${location.search}`);
    signInProblem.set(REFUSED[refused] ?? REFUSED.failed);
  }
  try {
    session.set(await ask<SessionInfo>('/api/session'));
  } catch (thrown) {
    if (!(thrown instanceof AskError) || thrown.status !== 401) signInProblem.set(wordsOf(thrown));
    session.set(null);
  }
}

/** Signs in with the secret of a one-time link, or the link as a whole. */
export async function useLink(given: string): Promise<void> {
  const link = /[#&]link=([^&\s]+)/.exec(given)?.[1] ?? given.trim();
  signInProblem.set(undefined);
  try {
    await tell('/api/session/link', { link });
    session.set(await ask<SessionInfo>('/api/session'));
  } catch (thrown) {
    const used = thrown instanceof AskError && [400, 401, 403, 404, 410].includes(thrown.status);
    signInProblem.set(
      used ? 'This link was used already, or its time is over. Make a new one.' : wordsOf(thrown),
    );
    session.set(null);
  }
}

/** Ends the session here and on the server. */
export async function signOut(): Promise<void> {
  await tell('/api/session/end');
  session.set(null);
}

function wordsOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
