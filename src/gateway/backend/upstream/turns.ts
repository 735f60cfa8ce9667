import { Refused } from '../../refusal.ts';

/** Lets a bounded number of requests through at once; a bounded number waits. */
export interface Turns {
  readonly open: number;
  readonly waiting: number;
  /** Resolves, when it is this request's turn, to what ends the turn. Errors: `Refused` `unavailable` where too many wait, `late`. */
  take(how: { readonly signal: AbortSignal; readonly deadline?: number | undefined }): Promise<() => void>;
}

interface Waiter {
  go(): void;
}

/** Turns for `parallel` requests, with room for `queue` that wait in order. `clock`: `performance.now`. */
export function turnsFor(parallel: number, queue: number, clock: () => number): Turns {
  let open = 0;
  const waiters = new Set<Waiter>();
  const end = (): (() => void) => {
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const [next] = waiters;
      if (!next) open--;
      else {
        waiters.delete(next);
        next.go();
      }
    };
  };
  return {
    get open() {
      return open;
    },
    get waiting() {
      return waiters.size;
    },
    take({ signal, deadline }) {
      if (signal.aborted) return Promise.reject(new Refused('late', 'the caller has gone'));
      if (open < parallel) {
        open++;
        return Promise.resolve(end());
      }
      if (waiters.size >= queue)
        return Promise.reject(
          new Refused('unavailable', `${waiters.size} requests wait for the upstream already`, {
            retryAfter: 1,
          }),
        );
      return new Promise((resolve, reject) => {
        const leave = (because: string) => {
          waiters.delete(waiter);
          stop();
          reject(new Refused('late', because));
        };
        const gone = () => leave('the caller has gone');
        const timer =
          deadline === undefined
            ? undefined
            : setTimeout(() => leave('its deadline passed while it waited'), Math.max(0, deadline - clock()));
        const stop = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', gone);
        };
        const waiter: Waiter = {
          go() {
            stop();
            resolve(end());
          },
        };
        signal.addEventListener('abort', gone, { once: true });
        waiters.add(waiter);
      });
    },
  };
}
