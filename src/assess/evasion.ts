import type { PlannedAttack } from '../attack/registry.ts';
import { throwIfCancelled } from '../core/cancel.ts';
import { GlacisError } from '../core/error.ts';
import type { Progress } from '../core/progress.ts';
import { randomFrom } from '../core/random.ts';
import type { Predictor } from '../runtime/predictor.ts';
import type { WhiteBoxTarget } from '../runtime/target.ts';
import { argmax, type Goal } from '../threat/goal.ts';
import type { Ball } from '../threat/norm.ts';
import { violationOf } from './verify.ts';

/** The model under attack: everything visible to the attack, and the deployed file for the verdict. */
export interface Subject {
  readonly target: WhiteBoxTarget;
  readonly predictor: Predictor;
  /** Turns the deployed output's rows (probabilities, perhaps) into what {@link Goal.reached} reads. */
  toLogits(outputs: Float32Array): Float32Array;
}

/** What happened to each sample; arrays of length n. */
export interface Outcome {
  /** `[n, …]` examples; the clean sample where the attack did not succeed or was not tried. */
  readonly x: Float32Array;
  readonly cleanPrediction: Int32Array;
  readonly prediction: Int32Array;
  /** 1 where the deployed model was right (the goal not reached) before. */
  readonly cleanCorrect: Uint8Array;
  /** 1 where it was right before and the verified example reaches the goal. */
  readonly success: Uint8Array;
  /** 1 where the sample was decided before an interruption. */
  readonly decided: Uint8Array;
  readonly queries: number;
  readonly gradientQueries: number;
  readonly seconds: number;
  /** Examples that the attack claimed but verification refused, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  readonly complete: boolean;
}

/** What {@link runAttack} needs beside subject and attack. */
export interface RunOptions {
  readonly seed: number;
  readonly batch: number;
  /** Number of the first sample in the data set, so that random draws belong to samples and not to positions. */
  readonly firstSample: number;
  readonly signal?: AbortSignal | undefined;
  readonly progress: Progress;
  /** Outcomes decided in an earlier, interrupted run: kept, not tried again. */
  readonly earlier?: Pick<Outcome, 'x' | 'decided'> | undefined;
  readonly now?: () => number;
}

/**
 * Runs one attack on clean samples `x0` and verifies what it made: every example lies in ball and bounds, and the deployed model was
 * run on it again. Samples that the model gets wrong from the start are not attacked. When `signal` fires, what was
 * decided is verified and returned with `complete: false`.
 */
export async function runAttack(
  subject: Subject,
  plan: PlannedAttack,
  goal: Goal,
  ball: Ball,
  x0: Float32Array,
  n: number,
  options: RunOptions,
): Promise<Outcome> {
  const { target } = subject;
  const now = options.now ?? (() => performance.now());
  const began = now();
  const before = { ...target.queries };
  const size = target.sampleDims.reduce((total, d) => total * d, 1);
  const clean = await judge(subject, goal, x0, n, options.signal);
  target.queries.forward += n;
  const x = x0.slice();
  const decided = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    if (clean.reached[i]) decided[i] = 1;
    if (options.earlier?.decided[i]) {
      decided[i] = 1;
      x.set(options.earlier.x.subarray(i * size, (i + 1) * size), i * size);
    }
  }
  const todo = Array.from({ length: n }, (_, i) => i).filter((i) => !decided[i]);
  let complete = true;
  if (todo.length > 0) {
    try {
      await plan.attack.run({
        target,
        goal,
        ball,
        x0,
        x,
        todo,
        options: plan.options,
        batch: options.batch,
        rng: (sample, ...keys) =>
          randomFrom(options.seed, plan.attack.id, options.firstSample + sample, ...keys),
        signal: options.signal,
        progress: options.progress,
        decided: (sample) => {
          decided[sample] = 1;
        },
      });
      decided.fill(1);
    } catch (thrown) {
      if (!(thrown instanceof GlacisError && thrown.code === 'run/cancelled')) throw thrown;
      complete = false;
    }
  }
  const refused: Record<string, number> = {};
  for (let i = 0; i < n; i++) {
    const violation = decided[i] ? violationOf(ball, x, x0, i * size, size) : undefined;
    if (violation) refused[violation] = (refused[violation] ?? 0) + 1;
    if (violation || !decided[i]) x.set(x0.subarray(i * size, (i + 1) * size), i * size);
  }
  const after = await judge(subject, goal, x, n, undefined);
  target.queries.forward += n;
  const success = new Uint8Array(n);
  const cleanCorrect = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    cleanCorrect[i] = clean.reached[i] ? 0 : 1;
    success[i] = cleanCorrect[i] && after.reached[i] ? 1 : 0;
  }
  return {
    x,
    cleanPrediction: clean.prediction,
    prediction: after.prediction,
    cleanCorrect,
    success,
    decided,
    queries: target.queries.forward - before.forward,
    gradientQueries: target.queries.gradient - before.gradient,
    seconds: (now() - began) / 1000,
    refused,
    complete,
  };
}

/** The deployed model's verdict on `n` samples. */
async function judge(
  subject: Subject,
  goal: Goal,
  x: Float32Array,
  n: number,
  signal: AbortSignal | undefined,
) {
  throwIfCancelled(signal, 'assessment');
  const outputs = subject.toLogits(await subject.predictor.predict(x, n, signal));
  const k = subject.target.classes;
  if (outputs.length !== n * k)
    throw new GlacisError(
      'data/mismatch',
      `model: expected ${k} outputs per sample, got ${outputs.length / n}`,
    );
  const reached = new Uint8Array(n);
  const prediction = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    reached[i] = goal.reached(i, outputs, i * k) ? 1 : 0;
    prediction[i] = k === 1 ? (outputs[i]! > 0 ? 1 : 0) : argmax(outputs, i * k, k);
  }
  return { reached, prediction };
}
