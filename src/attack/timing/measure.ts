import { throwIfCancelled } from '../../core/cancel.ts';
import { GlacisError } from '../../core/error.ts';
import type { Progress } from '../../core/progress.ts';
import type { Rng } from '../../core/random.ts';
import type { PairedTimes } from './bins.ts';
import type { PreparedQuery } from './queries.ts';

/** One answer, as its time and size show it. */
export interface TimedAnswer {
  /** Milliseconds from the first byte sent to the last byte received. */
  readonly time: number;
  readonly status: number;
  /** Of the body. */
  readonly length: number;
}

/** What {@link measure} saw: an entry a pair in each. */
export interface Measured {
  readonly times: PairedTimes;
  readonly lengths: PairedTimes;
  readonly statuses: PairedTimes;
  /** Answers by status, both classes. */
  readonly counts: Readonly<Record<number, number>>;
  /** Questions without an answer, asked again. */
  readonly failures: number;
}

/** How {@link measure} asks. */
export interface MeasureOptions {
  readonly a: readonly PreparedQuery[];
  readonly b: readonly PreparedQuery[];
  readonly pairs: number;
  /** Answers before the first that counts. */
  readonly warmup: number;
  /** Most questions a second: the server must not be measured in a queue. */
  readonly rate: number;
  readonly rng: Rng;
  readonly send: (query: PreparedQuery, signal: AbortSignal) => Promise<TimedAnswer>;
  /** Milliseconds of a clock that only goes forward. */
  readonly clock: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Pairs in a row that may fail before it is no use. */
const MOST_FAILURES = 20;

/**
 * Asks in pairs, one question of each class, which one first by chance: so both classes meet the same machine, and their order
 * says nothing. One question at a time, at most `rate` a second. Errors: `endpoint/unavailable` where 20 pairs in a row get no
 * answer, `run/cancelled`.
 */
export async function measure(options: MeasureOptions): Promise<Measured> {
  const { a, b, pairs, warmup, rate, rng, send, clock, sleep, signal, progress } = options;
  const paired = (): { readonly a: Float64Array; readonly b: Float64Array } => ({
    a: new Float64Array(pairs),
    b: new Float64Array(pairs),
  });
  const [times, lengths, statuses] = [paired(), paired(), paired()];
  const counts: Record<number, number> = {};
  const gap = 1000 / rate;
  let [failures, inARow] = [0, 0];
  const turns = new Map<readonly PreparedQuery[], number>();
  let next = clock();
  const ask = async (queries: readonly PreparedQuery[]): Promise<TimedAnswer> => {
    const wait = next - clock();
    // Short waits are not worth a timer.
    if (wait >= 1) await sleep(wait, signal).catch(() => throwIfCancelled(signal, 'timing'));
    throwIfCancelled(signal, 'timing');
    next = Math.max(next + gap, clock() - 100 * gap);
    // In turn, so that none is asked twice before all have been.
    const turn = turns.get(queries) ?? 0;
    turns.set(queries, turn + 1);
    return send(queries[turn % queries.length]!, signal);
  };
  for (let pair = -Math.ceil(warmup / 2); pair < pairs; ) {
    const isFirst = rng.integer(2) === 0;
    try {
      const early = await ask(isFirst ? a : b);
      const late = await ask(isFirst ? b : a);
      inARow = 0;
      if (pair >= 0) {
        for (const [key, answer] of [
          ['a', isFirst ? early : late],
          ['b', isFirst ? late : early],
        ] as const) {
          times[key][pair] = answer.time;
          lengths[key][pair] = answer.length;
          statuses[key][pair] = answer.status;
          counts[answer.status] = (counts[answer.status] ?? 0) + 1;
        }
        if (pair % 50 === 0) progress({ label: 'pairs of queries', done: pair, total: pairs });
      }
      pair++;
    } catch (thrown) {
      throwIfCancelled(signal, 'timing');
      failures++;
      if (++inARow >= MOST_FAILURES)
        throw new GlacisError(
          'endpoint/unavailable',
          `timing: expected answers, got none ${MOST_FAILURES} times in a row; ${Math.max(0, pair)} pairs had been measured`,
          { cause: thrown },
        );
    }
  }
  return { times, lengths, statuses, counts, failures };
}
