import type { PlannedAttack } from '../attack/registry.ts';
import { GlacisError } from '../core/error.ts';
import type { Progress } from '../core/progress.ts';
import { randomFrom } from '../core/random.ts';
import type { Goal } from '../threat/goal.ts';
import { type Ball, distance } from '../threat/norm.ts';
import type { Predictions } from './prediction.ts';
import { type Judgement, judge, type Subject } from './subject.ts';
import { violationOf } from './verify.ts';

/** What happened to each sample; arrays of length n. */
export interface Outcome {
  /** `[n, …]`: the strongest example that was found; the clean sample where none was tried or the example was refused. */
  readonly x: Float32Array;
  readonly prediction: Predictions;
  /** Deployed outputs on `x`, `[n, k]`. */
  readonly outputs: Float32Array;
  /** 1 where the deployed model was right before and the verified example reaches the goal. */
  readonly success: Uint8Array;
  /** Distance of `x` from the clean sample in the ball's norm. */
  readonly distance: Float32Array;
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
  /** Examples decided in an earlier, interrupted run: not tried again, but verified like all others. */
  readonly earlier?: Pick<Outcome, 'x' | 'decided'> | undefined;
  /** Called after each decision with what stands so far; both arrays go on changing. */
  readonly decided?: ((x: Float32Array, decided: Uint8Array) => void) | undefined;
  readonly now?: (() => number) | undefined;
}

/**
 * Runs one attack on clean samples `x0` and verifies what it made: every example lies in ball and bounds, and the deployed model was
 * run on it again. Samples that `clean` says the model gets wrong are not attacked. When `signal` fires, what was
 * decided is verified and returned with `complete: false`. The passes behind `clean` are not counted here.
 */
export async function runAttack(
  subject: Subject,
  plan: PlannedAttack,
  goal: Goal,
  ball: Ball,
  x0: Float32Array,
  clean: Pick<Judgement, 'reached'>,
  options: RunOptions,
): Promise<Outcome> {
  const { target } = subject;
  const now = options.now ?? (() => performance.now());
  const began = now();
  const before = { ...target.queries };
  const n = clean.reached.length;
  const size = target.sampleDims.reduce((total, d) => total * d, 1);
  const x = x0.slice();
  const decided = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    if (clean.reached[i]) decided[i] = 1;
    else if (options.earlier?.decided[i]) {
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
          options.decided?.(x, decided);
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
  // Without the signal: what was decided before a Ctrl-C is worth its verification.
  const after = await judge(subject, goal, x, n, undefined);
  target.queries.forward += n;
  const success = new Uint8Array(n);
  const distances = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    success[i] = decided[i] && !clean.reached[i] && after.reached[i] ? 1 : 0;
    distances[i] = distance(ball.norm, x, x0, i * size, size);
  }
  return {
    x,
    prediction: after.prediction,
    outputs: after.outputs,
    success,
    distance: distances,
    decided,
    queries: target.queries.forward - before.forward,
    gradientQueries: target.queries.gradient - before.gradient,
    seconds: (now() - began) / 1000,
    refused,
    complete,
  };
}
