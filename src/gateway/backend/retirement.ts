/** Lets go of what nobody uses any more. */
export interface Retirement {
  /**
   * Closes something when nobody can still be about to use it: who found it just before it was replaced has `grace` milliseconds to begin. `since`: when it was last found, in
   * milliseconds since 1970; now unless given. Never rejects.
   */
  retire(what: { readonly name: string; close(): Promise<void> }, since?: number): Promise<void>;
  /** Waits for all. */
  all(): Promise<void>;
  /** Ends the waiting: nobody can find anything any more. */
  hurry(): void;
}

/** Retires after `grace` milliseconds. */
export function retirement(
  grace: number,
  now: () => number,
  failed: (where: string, thrown: unknown) => void,
): Retirement {
  const leaving = new Set<Promise<void>>();
  const hurried = new AbortController();
  return {
    retire({ name, close }, since = now()) {
      // A clock that was set back must not keep it for ever.
      const left = Math.max(0, Math.min(grace, since + grace - now()));
      const done: Promise<void> = pause(left, hurried.signal)
        .then(close)
        .catch((thrown: unknown) => failed(`closing ${name}`, thrown))
        .finally(() => leaving.delete(done));
      leaving.add(done);
      return done;
    },
    async all() {
      await Promise.all(leaving);
    },
    hurry: () => hurried.abort(),
  };
}

/** Waits, or less where that is no longer wanted. Does not keep the process alive. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    timer.unref();
    signal.addEventListener('abort', end, { once: true });
  });
}
