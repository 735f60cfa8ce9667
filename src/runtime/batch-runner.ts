import type { Value } from '../onnx/graph-builder.ts';
import type { HostTensor } from './array.ts';
import type { Session } from './engine.ts';
import { fitting } from './fitting.ts';
import type { TargetGraph, WhiteBoxTarget } from './target.ts';

/** Runs one transform of a model on batches of any size up to `batch`, several of them beside each other. */
export interface BatchRunner {
  /** Most rows in one batch. */
  readonly batch: number;
  /** Batches that should be under way at once, so that no thread ever waits. */
  readonly parallel: number;
  /** Sizes, falling, that waste nothing; a batch of any other is filled up. Without them a batch should be as full as can be. */
  readonly sizes?: readonly number[] | undefined;
  /**
   * Runs the session of `build` (made once per `key` and size) on `count` rows. `feeds` makes arrays for the number of rows that it is
   * given, which is `count` or more, and may use them again once it is called again. Errors: those of {@link WhiteBoxTarget.compile} and
   * of the run.
   */
  run(
    key: string,
    count: number,
    build: (graph: TargetGraph) => Readonly<Record<string, Value>>,
    feeds: (rows: number) => Readonly<Record<string, HostTensor>>,
  ): Promise<Record<string, HostTensor>>;
}

/** Operations that make a batch worth sending to a thread: a few milliseconds, and caches still hold the rows. */
const WORTH_SENDING = 500e6;
/** What a run takes, in forward passes: a gradient's own and two more. */
const PASSES = { answers: 1, gradients: 3 } as const;
/** The fewest and most rows of such a batch, unless the user's own limit is lower. */
const LEAST_ROWS = 4;
const MOST_ROWS = 256;
/** Batches for each thread: one that runs and one that waits for it. */
const PER_LANE = 2;

/**
 * How batches of up to `most` rows are run that need `kind`. Small graphs: each thread runs batches of its own, small ones, which stay in
 * its caches (measured on a small CNN: a row takes a sixth less than in batches of 256) and need not be split and joined; while one
 * is run, the next is made. Large graphs: one batch after another, whose operators are split between the threads.
 */
export function batchRunner(target: WhiteBoxTarget, most: number, kind: keyof typeof PASSES): BatchRunner {
  const { lanes, fixedBatch } = target;
  if (!lanes) return oneByOne(target, most);
  const sizes = fixedBatch === undefined ? sizesFrom(rowsWorthSending(target, most, kind)) : [fixedBatch];
  const ahead = new Array<number>(lanes.count).fill(0);
  return {
    batch: sizes[0]!,
    parallel: PER_LANE * lanes.count,
    sizes,
    async run(key, count, build, feeds) {
      const rows = sizes.findLast((size) => size >= count) ?? sizes[0]!;
      const lane = ahead.indexOf(Math.min(...ahead));
      ahead[lane]! += rows;
      try {
        const sessions = await lanes.compile(key, rows, build);
        return await sessions[lane % sessions.length]!.run(feeds(rows));
      } finally {
        ahead[lane]! -= rows;
      }
    },
  };
}

function oneByOne(target: WhiteBoxTarget, most: number): BatchRunner {
  const batch = target.fixedBatch ?? most;
  return {
    batch,
    parallel: 1,
    async run(key, count, build, feeds) {
      const rows = target.fixedBatch ?? fitting(count, batch);
      const session: Session = await target.compile(key, rows, build);
      return session.run(feeds(rows));
    },
  };
}

/** A power of two. */
function rowsWorthSending({ cost }: WhiteBoxTarget, most: number, kind: keyof typeof PASSES): number {
  const rows = 2 ** Math.round(Math.log2(WORTH_SENDING / Math.max(1, PASSES[kind] * cost.flops)));
  return Math.min(most, MOST_ROWS, Math.max(LEAST_ROWS, rows));
}

/** A full batch, a quarter of it, and so on: few sessions, and little that is computed for nothing. */
function sizesFrom(full: number): readonly number[] {
  const sizes = [full];
  while (sizes.at(-1)! > LEAST_ROWS) sizes.push(Math.ceil(sizes.at(-1)! / 4));
  return sizes;
}
