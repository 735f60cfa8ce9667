import type { Rng } from '../core/random.ts';
import { elementCount } from '../onnx/tensor.ts';
import type { Oracle } from '../runtime/oracle.ts';
import type { QueryCount, WhiteBoxTarget } from '../runtime/target.ts';
import type { Goal } from '../threat/goal.ts';
import type { GradientOptions } from '../transform/gradient/rule.ts';
import { oracleAnswerer, whiteBoxAnswerer } from './answerer.ts';
import { drive, type Speaker } from './drive.ts';
import type { Talk } from './question.ts';

/** What {@link interview} asks. */
export interface Interviewed extends GradientOptions {
  readonly target: WhiteBoxTarget | undefined;
  readonly oracle: Oracle;
  readonly queries: QueryCount;
  readonly goal: Goal;
  readonly batch: number;
  rng(sample: number): Rng;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Holds one talk for each of `samples` with the model, in full batches, and gives what the talks return, in the same order. For
 * measurements that are no attacks. Errors: those of {@link drive}.
 */
export async function interview<Result>(
  model: Interviewed,
  samples: readonly number[],
  talk: (sample: number, rng: Rng) => Talk<Result>,
): Promise<readonly Result[]> {
  const { target, oracle, queries, goal, batch, signal, rounding, saturation } = model;
  const size = elementCount(oracle.sampleDims);
  const options = { ...(rounding && { rounding }), ...(saturation && { saturation }) };
  const answerer = target ? whiteBoxAnswerer(target, goal, batch, options) : oracleAnswerer(oracle, queries);
  const results: Result[] = new Array(samples.length);
  function* kept(at: number, sample: number): Talk {
    results[at] = yield* talk(sample, model.rng(sample));
  }
  function* speakers(): Generator<Speaker> {
    for (const [at, sample] of samples.entries())
      yield {
        sample,
        talk: kept(at, sample),
        budget: Number.POSITIVE_INFINITY,
        asked: 0,
        heard: () => false,
        judge: (logits, offset) => ({
          margin: goal.margin(sample, logits, offset),
          reached: goal.reached(sample, logits, offset),
        }),
        over() {},
      };
  }
  await drive(speakers(), { answerer, size, classes: oracle.classes, signal });
  return results;
}
