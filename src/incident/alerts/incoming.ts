import { GlacisError } from '../../core/error.ts';
import { type AlertMessage, isAsBad } from './message.ts';
import type { Receiver } from './receiver.ts';

/** Messages on their way into the store. */
export interface Incoming {
  /** Takes one: microseconds. */
  take(message: AlertMessage): void;
  /** Resolves when all that was taken is in the store, or the store does not take it now. */
  keep(): Promise<void>;
  /** Tries no more by itself. Resolves when what is being kept is. */
  close(): Promise<void>;
}

/** What it stands on. */
export interface IncomingSurroundings {
  readonly receivers: () => Iterable<Receiver>;
  /** Keeps a message for a receiver. */
  readonly keep: (message: AlertMessage, to: Receiver) => Promise<void>;
  /** Called when what came is kept. */
  readonly kept: () => void;
  readonly failed: (where: string, thrown: unknown) => void;
}

const SECOND = 1000;
/** Changes that wait for the store. */
const MOST = 10_000;
/** Milliseconds between tries where the store does not answer, at most. */
const LONGEST_WAIT = 60 * SECOND;

/** Opens it: whatever the store does, nothing that was taken is lost while this process lives, but for what is beyond ten thousand. */
export function openIncoming({ receivers, keep, kept, failed }: IncomingSurroundings): Incoming {
  /** Not in the store yet, with the receivers for which it is. */
  const waiting: { readonly message: AlertMessage; readonly keptFor: Set<string> }[] = [];
  let keeping: Promise<void> | undefined;
  let isClosed = false;
  let dropped = 0;
  let retry: NodeJS.Timeout | undefined;
  let retryAfter = SECOND;
  const keepAll = async (): Promise<void> => {
    clearTimeout(retry);
    const isNews = waiting.length > 0;
    try {
      for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
        const { message, keptFor } = first;
        for (const receiver of receivers()) {
          const { name, least } = receiver.config;
          if (keptFor.has(name) || !isAsBad(message.case.severity, least)) continue;
          await keep(message, receiver);
          keptFor.add(name);
        }
        waiting.shift();
      }
      retryAfter = SECOND;
      if (isNews) kept();
    } catch (thrown) {
      failed('alerts', thrown);
      if (isClosed) return;
      retry = setTimeout(() => void keepWaiting(), retryAfter);
      retry.unref();
      retryAfter = Math.min(2 * retryAfter, LONGEST_WAIT);
    }
  };
  const keepWaiting = (): Promise<void> => {
    keeping ??= keepAll().finally(() => {
      keeping = undefined;
    });
    return keeping;
  };
  return {
    take(message) {
      if (waiting.length >= MOST) {
        // The cases themselves are in the store that does not answer: whoever was not told is told at the next start.
        if (dropped++ === 0)
          failed(
            'alerts',
            new GlacisError(
              'store/unavailable',
              'alerts: expected the store to keep up, got more messages than are held',
            ),
          );
        return;
      }
      waiting.push({ message, keptFor: new Set() });
      // After a failure the next try has its time.
      if (waiting.length === 1 || keeping !== undefined || retryAfter === SECOND) void keepWaiting();
    },
    keep: keepWaiting,
    async close() {
      isClosed = true;
      clearTimeout(retry);
      await keeping;
    },
  };
}
