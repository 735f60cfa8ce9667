import { GlacisError } from './error.ts';

/** Throws `run/cancelled` when `signal` is aborted. Call it between bounded batches. */
export function throwIfCancelled(signal: AbortSignal | undefined, where: string): void {
  if (signal?.aborted)
    throw new GlacisError('run/cancelled', `${where}: cancelled`, { cause: signal.reason });
}
