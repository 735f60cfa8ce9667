import type { PlannedAttack } from '../attack/registry.ts';
import { GlacisError } from '../core/error.ts';
import type { Progress } from '../core/progress.ts';
import { randomFrom } from '../core/random.ts';
import { elementCount } from '../onnx/tensor.ts';
import type { WhiteBoxTarget } from '../runtime/target.ts';
import type { Goal } from '../threat/goal.ts';
import { type ImageDims, imageDimsOf } from '../threat/image-dims.ts';
import { type Ball, distance } from '../threat/norm.ts';
import { violationOf } from '../threat/violation.ts';
import type { Predictions } from './prediction.ts';
import { type Judgement, judge, type Subject } from './subject.ts';

/** What happened to each sample; arrays of length n. */
export interface Outcome {
  /** `[n, …]`: the strongest example that was found; the clean sample where none was tried or the example was refused. */
  readonly x: Float32Array;
  readonly prediction: Predictions;
  /** Deployed outputs on `x`, `[n, k]`. */
  readonly outputs: Float32Array;
  /** 1 where the deployed model was right before and the verified example reaches the goal; a minimum-norm attack's at whatever distance. */
  readonly success: Uint8Array;
  /** Distance of `x` from the clean sample in the ball's norm. */
  readonly distance: Float32Array;
  /** 1 where the sample was decided before an interruption. */
  readonly decided: Uint8Array;
  /** How often the model was asked about each sample until it was decided; 0 where it was not attacked. */
  readonly asked: Int32Array;
  /** Seconds from the attack's beginning on these samples until each was decided; 0 where it was not attacked. */
  readonly took: Float32Array;
  /** What did it, where the attack has parts: 1 + the number of the part; 0 elsewhere. */
  readonly by: Uint8Array;
  /** The examples' parameters, `[n, p]`, where the attack's threat has some. */
  readonly parameters: Float32Array;
  /** What all examples share, where the attack has something of that kind; empty elsewhere. */
  readonly shared: Float32Array;
  readonly queries: number;
  readonly gradientQueries: number;
  readonly seconds: number;
  /** Examples that the attack claimed but verification refused, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  readonly complete: boolean;
}

/** Examples that were decided, as an interrupted run leaves them. */
export type EarlierExamples = Pick<
  Outcome,
  'x' | 'decided' | 'asked' | 'took' | 'by' | 'parameters' | 'shared'
>;

/** What {@link runAttack} needs beside subject and attack. */
export interface RunOptions {
  readonly seed: number;
  readonly batch: number;
  /** Number of the first sample in the data set, so that random draws belong to samples and not to positions. */
  readonly firstSample: number;
  /** The goal that the attack is given, where it is not the one that its examples are judged by. */
  readonly sought?: Goal | undefined;
  /** Another model, for attacks that make their examples there. */
  readonly surrogate?: WhiteBoxTarget | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress: Progress;
  /** Examples decided in an earlier, interrupted run: not tried again, but verified like all others. */
  readonly earlier?: EarlierExamples | undefined;
  /** Called after each decision with what stands so far; the arrays go on changing. */
  readonly decided?: ((so: EarlierExamples) => void) | undefined;
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
  const { attack } = plan;
  const now = options.now ?? (() => performance.now());
  const began = now();
  const before = { ...subject.queries };
  const n = clean.reached.length;
  const size = elementCount(subject.sampleDims);
  const width = attack.threat?.parameters.length ?? 0;
  const image = imageDimsOf(subject.sampleDims);
  const form = attack.shared?.({ sampleDims: subject.sampleDims, image }, plan.options);
  const so = {
    x: x0.slice(),
    decided: new Uint8Array(n),
    asked: new Int32Array(n),
    took: new Float32Array(n),
    by: new Uint8Array(n),
    parameters: new Float32Array(n * width),
    shared: new Float32Array(form ? elementCount(form.dims) : 0),
  };
  const isKnown = takeUp(so, options.earlier, clean.reached, size, width);
  // What earlier runs spent before they were interrupted, as far as decisions show it.
  const spent = so.took.reduce((most, seconds) => Math.max(most, seconds), 0);
  const { x, decided } = so;
  const todo = Array.from({ length: n }, (_, i) => i).filter((i) => !decided[i]);
  let complete = true;
  if (todo.length > 0) {
    try {
      await attack.run({
        target: subject.target,
        surrogate: options.surrogate,
        oracle: subject.oracle,
        queries: subject.queries,
        goal: options.sought ?? goal,
        ball,
        image,
        x0,
        x,
        parameters: so.parameters,
        shared: form && { values: so.shared, isKnown },
        todo,
        options: plan.options,
        batch: options.batch,
        isJudged: true,
        rng: (sample, ...keys) => randomFrom(options.seed, attack.id, options.firstSample + sample, ...keys),
        signal: options.signal,
        progress: options.progress,
        decided: (sample, _reached, queries = 0, by = '') => {
          decided[sample] = 1;
          so.asked[sample] = queries;
          so.took[sample] = spent + (now() - began) / 1000;
          so.by[sample] = 1 + (attack.parts?.indexOf(by) ?? -1);
          options.decided?.(so);
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
    const violation = decided[i] ? violationIn(plan, ball, { x, x0, i, size }, image, so) : undefined;
    if (violation) refused[violation] = (refused[violation] ?? 0) + 1;
    if (violation || !decided[i]) x.set(x0.subarray(i * size, (i + 1) * size), i * size);
  }
  // Without the signal: what was decided before a Ctrl-C is worth its verification.
  let after = await judge(subject, goal, x, n, undefined);
  subject.queries.forward += n;
  if (attack.seeks === 'minimum')
    after = await pushedOver(subject, goal, ball, x, x0, after, { decided, clean });
  const success = new Uint8Array(n);
  const distances = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    success[i] = decided[i] && !clean.reached[i] && after.reached[i] ? 1 : 0;
    distances[i] = distance(ball.norm, x, x0, i * size, size);
  }
  return {
    ...so,
    prediction: after.prediction,
    outputs: after.outputs,
    success,
    distance: distances,
    queries: subject.queries.forward - before.forward,
    gradientQueries: subject.queries.gradient - before.gradient,
    seconds: (now() - began) / 1000,
    refused,
    complete,
  };
}

/** Marks what need not be tried: samples that are wrong anyway, and those that an earlier run has decided. Says whether there are such. */
function takeUp(
  so: EarlierExamples,
  earlier: EarlierExamples | undefined,
  wrong: Uint8Array,
  size: number,
  width: number,
): boolean {
  let isKnown = false;
  for (const [i, isWrong] of wrong.entries()) {
    if (isWrong) so.decided[i] = 1;
    else if (earlier?.decided[i]) {
      isKnown = true;
      so.decided[i] = 1;
      so.asked[i] = earlier.asked[i]!;
      so.took[i] = earlier.took[i]!;
      so.by[i] = earlier.by[i]!;
      so.x.set(earlier.x.subarray(i * size, (i + 1) * size), i * size);
      so.parameters.set(earlier.parameters.subarray(i * width, (i + 1) * width), i * width);
    }
  }
  if (isKnown) so.shared.set(earlier!.shared);
  return isKnown;
}

/** Why example `i` does not count. */
function violationIn(
  { attack, options }: PlannedAttack,
  ball: Ball,
  {
    x,
    x0,
    i,
    size,
  }: { readonly x: Float32Array; readonly x0: Float32Array; readonly i: number; readonly size: number },
  image: ImageDims | undefined,
  { parameters, shared }: Pick<Outcome, 'parameters' | 'shared'>,
): string | undefined {
  const { threat } = attack;
  const free: Ball = { ...ball, eps: Number.POSITIVE_INFINITY };
  const within = violationOf(attack.seeks === 'ball' ? ball : free, x, x0, i * size, size);
  const row = (values: Float32Array, width: number) => values.subarray(i * width, (i + 1) * width);
  // A clean sample that nothing was done to breaks no threat model, whatever its parameters.
  if (within || !threat || row(x, size).every((v, at) => v === x0[i * size + at])) return within;
  return threat.violation({
    x: row(x, size),
    x0: row(x0, size),
    image,
    bounds: ball.bounds,
    constraint: ball.constraint,
    options,
    parameters: row(parameters, threat.parameters.length),
    shared,
  });
}

/** How much further a nearest example is pushed where the deployed file, unlike the attack's graph, does not yet fall for it. */
const PUSHES = [1e-5, 1e-4, 1e-3];

/**
 * A minimum-norm example lies on the boundary, where the last bits of the deployed file's own kernels decide. Examples that do not
 * fool it are pushed a little further from the clean sample, along the same line, and judged again: their distance grows
 * by a thousandth at most. Writes over `x`.
 */
async function pushedOver(
  subject: Subject,
  goal: Goal,
  ball: Ball,
  x: Float32Array,
  x0: Float32Array,
  judged: Judgement,
  { decided, clean }: { readonly decided: Uint8Array; readonly clean: Pick<Judgement, 'reached'> },
): Promise<Judgement> {
  const n = decided.length;
  const size = x.length / Math.max(1, n);
  const [low, high] = ball.bounds;
  const free: Ball = { ...ball, eps: Number.POSITIVE_INFINITY };
  let after = judged;
  for (const push of PUSHES) {
    let pushed = 0;
    for (let i = 0; i < n; i++) {
      if (!decided[i] || clean.reached[i] || after.reached[i]) continue;
      let moved = false;
      for (let j = i * size; j < (i + 1) * size; j++) {
        if (x[j] === x0[j]) continue;
        moved = true;
        x[j] = Math.min(high, Math.max(low, x0[j]! + (x[j]! - x0[j]!) * (1 + push)));
      }
      if (!moved) continue;
      ball.constraint?.project(x, i * size, x0, i * size, size, free);
      pushed++;
    }
    if (pushed === 0) return after;
    after = await judge(subject, goal, x, n, undefined);
    subject.queries.forward += pushed;
  }
  return after;
}
