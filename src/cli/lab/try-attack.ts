import { runAttack } from '../../assess/evasion.ts';
import { logScores } from '../../assess/log-scores.ts';
import type { Subject } from '../../assess/subject.ts';
import { judge } from '../../assess/subject.ts';
import { throwIfCancelled } from '../../core/cancel.ts';
import { GlacisError } from '../../core/error.ts';
import { attributionsOf } from '../../explain/attributions.ts';
import { outputGradients } from '../../explain/output-gradients.ts';
import type { LabOrder, LabOutcome } from '../../gateway/console/lab.ts';
import { argmax, binaryGoal, classificationGoal, type Goal } from '../../threat/goal.ts';
import { type Ball, distance, normFrom } from '../../threat/norm.ts';
import { isWithin } from '../../threat/violation.ts';
import { labAttack } from './attacks.ts';
import { openTrail, watchedOracle, watchedTarget } from './trail.ts';

/** What a trial is given. */
export interface TrialOptions {
  readonly order: LabOrder;
  /** Least and greatest value of an input. */
  readonly range: readonly [number, number];
  /** Samples in one run of the file. */
  readonly batch: number;
  readonly progress: (share: number) => void;
  readonly signal: AbortSignal;
}

/** Pictures along the way, fewer for large ones: the answer is to stay small. */
const MOST_STEPS = 20;
const MOST_NUMBERS = 400_000;

/**
 * Tries one attack on one sample and tells the whole way: what the model said of it before, on the way and after. The last word is that of the file as it is
 * deployed, within ball and bounds, as in an assessment. Errors: `option/invalid`, `run/cancelled`, `run/failed`.
 */
export async function tryAttack(subject: Subject, options: TrialOptions): Promise<LabOutcome> {
  const { order, range, batch, signal, progress } = options;
  const { label, values } = order;
  const plan = labAttack(order.attack);
  if (plan === undefined)
    throw new GlacisError('option/invalid', `attack: expected one of the lab's, got another`);
  const { attack } = plan;
  if (attack.needs === 'gradient' && subject.target === undefined)
    throw new GlacisError(
      'option/invalid',
      `${attack.id}: expected a model of which the lab has the file, because it needs gradients`,
    );
  const norm = attack.norms.length === 0 ? 'linf' : normFrom(order.norm);
  if (attack.norms.length > 0 && !attack.norms.includes(norm))
    throw new GlacisError(
      'option/invalid',
      `${attack.id}: expected ${attack.norms.join(' or ')}, got ${norm}`,
    );
  const { classes } = subject;
  const goal = goalOf(label, classes);
  const ball: Ball = { norm, eps: order.eps, bounds: range };
  const before = await judge(subject, goal, values, 1, signal);
  const clean = scoresOf(subject, before.outputs);
  const wrong = before.reached[0] === 1;
  const began = performance.now();
  const trail = openTrail(values.length, classes, waysOf(attack.needs, attack.seeks, goal, values, ball));
  const outcome = wrong
    ? undefined
    : await runAttack(
        {
          ...subject,
          target: subject.target && watchedTarget(subject.target, trail),
          oracle: watchedOracle(subject.oracle, trail),
        },
        plan,
        goal,
        ball,
        values,
        before,
        {
          seed: 1,
          batch: attack.needs === 'gradient' ? 1 : batch,
          firstSample: 0,
          signal,
          progress: ({ done, total }) => progress(total ? done / total : 0),
        },
      );
  if (outcome?.complete === false) throw new GlacisError('run/cancelled', 'lab: cancelled');
  const x = outcome?.x ?? values;
  const scores = outcome ? scoresOf(subject, outcome.outputs) : clean;
  const most = Math.max(2, Math.min(MOST_STEPS, Math.floor(MOST_NUMBERS / values.length)) - 2);
  const queries = outcome?.queries ?? 1;
  // The way mostly begins with the input itself and ends with what came of it.
  const way = trail
    .some(most)
    .filter(({ x: point }) => !isSame(point, values) && !isSame(point, x))
    .map(({ x: point, logits, queries: asked }) => step(point, softmax(logits), asked));
  return {
    classes: Math.max(2, classes),
    clean,
    steps: [step(values, clean, 0), ...way, ...(wrong ? [] : [step(x, scores, queries)])],
    fell: wrong || outcome!.success[0] === 1,
    within: attack.seeks === 'other' || wrong || isWithin(ball, distance(norm, x, values, 0, values.length)),
    distance: {
      linf: short(distance('linf', x, values, 0, values.length)),
      l2: short(distance('l2', x, values, 0, values.length)),
      l0: distance('l0', x, values, 0, values.length),
    },
    queries,
    gradients: outcome?.gradientQueries ?? 0,
    seconds: short((performance.now() - began) / 1000),
    attribution: await attributed(subject, options, { x, clean, scores }),
  };
}

/** Before and after, each for the class that the model says then; undefined where the model is only asked. */
async function attributed(
  { target, oracle }: Subject,
  { order, range, signal }: TrialOptions,
  {
    x,
    clean,
    scores,
  }: {
    readonly x: Float32Array;
    readonly clean: readonly number[];
    readonly scores: readonly number[];
  },
): Promise<LabOutcome['attribution']> {
  if (target === undefined) return undefined;
  // One sample does not need a session on each thread.
  const ask = outputGradients({ ...target, lanes: undefined });
  const how = {
    method: order.integrated ? 'integrated' : 'gradient-input',
    baseline: range[0],
  } as const;
  const of = async (point: Float32Array, said: readonly number[]): Promise<readonly number[]> => {
    const best = oracle.classes === 1 ? 0 : argmax(Float32Array.from(said), 0, said.length);
    throwIfCancelled(signal, 'lab');
    return numbers(await attributionsOf(ask, point, best, how));
  };
  return {
    before: await of(order.values, clean),
    after: await of(x, scores),
    integrated: order.integrated,
  };
}

/** Which points belong to the way: all of an attack by gradients; of one that tries proposals, those that were better than all before. */
function waysOf(
  needs: 'gradient' | 'scores' | 'labels',
  seeks: 'ball' | 'minimum' | 'other',
  goal: Goal,
  x0: Float32Array,
  ball: Ball,
): (x: Float32Array, logits: Float32Array) => boolean {
  if (needs === 'gradient') return () => true;
  let best = Number.POSITIVE_INFINITY;
  return (x, logits) => {
    if (seeks === 'minimum' && !goal.reached(0, logits, 0)) return false;
    const worth = seeks === 'minimum' ? distance(ball.norm, x, x0, 0, x0.length) : goal.margin(0, logits, 0);
    if (!(worth < best)) return false;
    best = worth;
    return true;
  };
}

function goalOf(label: number, classes: number): Goal {
  const least = Math.max(2, classes);
  if (!Number.isInteger(label) || label < 0 || label >= least)
    throw new GlacisError('option/invalid', `label: expected a class from 0 to ${least - 1}, got ${label}`);
  return classes === 1 ? binaryGoal([label]) : classificationGoal([label], classes);
}

/** Probabilities of the deployed outputs; of a single one those of both sides. */
function scoresOf(subject: Subject, outputs: Float32Array): readonly number[] {
  return softmax(logScores(subject, outputs));
}

function softmax(logits: Float32Array): readonly number[] {
  const all = logits.length === 1 ? [0, logits[0]!] : Array.from(logits);
  const top = Math.max(...all);
  const weights = all.map((z) => Math.exp(z - top));
  const total = weights.reduce((sum, w) => sum + w, 0);
  return weights.map((w) => short(w / total));
}

function isSame(a: Float32Array, b: Float32Array): boolean {
  return a.every((value, i) => value === b[i]);
}

function step(x: Float32Array, scores: readonly number[], queries: number): LabOutcome['steps'][number] {
  return { values: numbers(x), scores, queries };
}

function numbers(values: Float32Array): readonly number[] {
  return Array.from(values, short);
}

function short(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(5)) : 0;
}
