import { Refused } from '../../refusal.ts';

/** Whether a server is asked, left alone, or tried again with one request. */
export type CircuitState = 'closed' | 'open' | 'half-open';

/** Keeps requests from a server that does not answer. */
export interface Circuit {
  readonly state: CircuitState;
  /** Before each request; what comes of it must be told to `done`. Errors: `Refused` `unavailable` while the server is left alone. */
  enter(): { done(outcome: 'good' | 'bad' | 'neither'): void };
}

/** When the circuit opens, and for how long. */
export interface CircuitOptions {
  /** Failures in a row after which it opens. */
  readonly failures: number;
  /** Milliseconds for which it stays open at first; doubled each time the trial fails, up to `longest`. */
  readonly pause: number;
  readonly longest: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly clock: () => number;
}

/** A closed circuit. `neither` is for what says nothing of the server's health, so that a caller's bad input cannot cut off the others. */
export function openCircuit({ failures, pause, longest, clock }: CircuitOptions): Circuit {
  let inRow = 0;
  let wait = pause;
  let until: number | undefined;
  let trying = false;
  const stateNow = (): CircuitState =>
    until === undefined ? 'closed' : clock() < until ? 'open' : 'half-open';
  return {
    get state() {
      return stateNow();
    },
    enter() {
      const entered = stateNow();
      if (entered === 'open' || (entered === 'half-open' && trying)) {
        const left = until === undefined ? 0 : until - clock();
        throw new Refused('unavailable', 'the upstream does not answer and is left alone', {
          retryAfter: Math.max(1, Math.ceil(left / 1000)),
        });
      }
      const trial = entered === 'half-open';
      if (trial) trying = true;
      let told = false;
      return {
        done(outcome) {
          if (told) return;
          told = true;
          if (trial) trying = false;
          if (outcome === 'good') {
            inRow = 0;
            // Only a trial closes it again: what was sent before it opened may come late.
            if (trial) {
              until = undefined;
              wait = pause;
            }
          } else if (outcome === 'bad') {
            inRow++;
            if (trial) {
              wait = Math.min(longest, wait * 2);
              until = clock() + wait;
            } else if (until === undefined && inRow >= failures) until = clock() + wait;
          }
        },
      };
    },
  };
}
