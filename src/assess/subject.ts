import { GlacisError } from '../core/error.ts';
import type { Oracle } from '../runtime/oracle.ts';
import type { Predictor } from '../runtime/predictor.ts';
import type { QueryCount, WhiteBoxTarget } from '../runtime/target.ts';
import type { Goal } from '../threat/goal.ts';
import type { FoundLogits } from '../transform/logits.ts';
import { type Predictions, predictionsOf } from './prediction.ts';

/** The model under attack: what an attack may see of it, and the deployed model for the verdict. */
export interface Subject {
  /** Shape of one sample. */
  readonly sampleDims: readonly number[];
  /** Outputs per sample. */
  readonly classes: number;
  /** The whole model; `undefined` behind an endpoint. */
  readonly target: WhiteBoxTarget | undefined;
  /** The model as something that answers, in logits. */
  readonly oracle: Oracle;
  /** Counts what target and oracle are asked. */
  readonly queries: QueryCount;
  readonly predictor: Predictor;
  /** What the deployed model makes of its logits. */
  readonly activation: FoundLogits['stripped'];
  /** Turns the deployed output's rows (probabilities, perhaps) into what {@link Goal.reached} reads. */
  toLogits(outputs: Float32Array): Float32Array;
}

/** The deployed model's word on some samples. */
export interface Judgement {
  /** 1 where the goal is reached: on clean samples, where the model is wrong. */
  readonly reached: Uint8Array;
  readonly prediction: Predictions;
  /** What the model gave, `[n, k]`, as deployed. */
  readonly outputs: Float32Array;
}

/**
 * Asks the deployed model about `n` samples. Errors: `data/mismatch` when the outputs are not `k` a sample, `run/cancelled`.
 */
export async function judge(
  subject: Subject,
  goal: Goal,
  x: Float32Array,
  n: number,
  signal: AbortSignal | undefined,
): Promise<Judgement> {
  const outputs = await subject.predictor.predict(x, n, signal);
  const k = subject.classes;
  if (outputs.length !== n * k)
    throw new GlacisError(
      'data/mismatch',
      `model: expected ${k} outputs per sample, got ${outputs.length / n}`,
    );
  const logits = subject.toLogits(outputs);
  const reached = new Uint8Array(n);
  for (let i = 0; i < n; i++) reached[i] = goal.reached(i, logits, i * k) ? 1 : 0;
  return { reached, prediction: predictionsOf(goal.task, logits, n, k), outputs };
}
