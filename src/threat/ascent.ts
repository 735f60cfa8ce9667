import { createHash } from 'node:crypto';
import { throwIfCancelled } from '../core/cancel.ts';
import { GlacisError } from '../core/error.ts';
import type { Rng } from '../core/random.ts';
import { f32 } from '../runtime/array.ts';
import { fitting } from '../runtime/fitting.ts';
import type { WhiteBoxTarget } from '../runtime/target.ts';
import type { GradientOptions } from '../transform/gradient/rule.ts';
import type { Goal } from './goal.ts';
import { type Ball, randomStart } from './norm.ts';
import { ascentStep, evaluation, STEP_INPUTS } from './step.ts';

/** What {@link ascend} needs. */
export interface AscentOptions extends GradientOptions {
  /** Steps from each start; at least 1. */
  readonly steps: number;
  /** Length of a step in the ball's norm, in input units. */
  readonly stepSize: number;
  /** Random starts; 0 starts once from the input itself. */
  readonly restarts: number;
  /** Samples in one run of the graph, at least 1; a model whose file fixes the batch size runs at that one. */
  readonly batch: number;
  /** The stream of one sample's start `restart`. */
  rng(sample: number, restart: number): Rng;
  readonly signal?: AbortSignal | undefined;
  /** Called as samples are decided, with how often the model was asked about each. */
  decided?(sample: number, reached: boolean, queries: number): void;
}

/** One sample on its way up. */
interface Climb {
  readonly sample: number;
  restart: number;
  step: number;
  queries: number;
  /** Highest loss seen, and where. */
  bestLoss: number;
}

/**
 * Projected gradient ascent on the goal's loss for the samples `todo` of `x0` (row-major, `[n, …sampleDims]`). The best iterate of
 * every sample is written over its row of `x`: the first that reaches the goal, otherwise the one of highest loss. Gives
 * the samples that reached it.
 *
 * A sample that has reached its goal leaves the batch at once and the next one takes its place, so that every run of the
 * graph is full until the end. Last iterates are evaluated without a gradient. What becomes of a sample does not depend
 * on the batch or on the others in it, up to the rounding of the runtime's vectorised kernels, which depends on a sample's
 * place in the batch (steps by signs, linf and l1, hide it).
 * When `signal` fires, samples that were decided keep their rows of `x`; the others' hold what was best so far.
 * Errors: `option/invalid`, `run/cancelled`, `run/failed`.
 * Cost per sample that never reaches it: `max(1, restarts) × steps` gradients and as many evaluations as starts.
 */
export async function ascend(
  target: WhiteBoxTarget,
  goal: Goal,
  ball: Ball,
  x0: Float32Array,
  x: Float32Array,
  todo: readonly number[],
  options: AscentOptions,
): Promise<Set<number>> {
  check(options);
  const size = target.sampleDims.reduce((n, d) => n * d, 1);
  const reached = new Set<number>();
  const waiting = todo
    .map((sample): Climb => ({ sample, restart: 0, step: 0, queries: 0, bestLoss: Number.NEGATIVE_INFINITY }))
    .reverse();
  const finals: { readonly climb: Climb; readonly iterate: Float32Array }[] = [];
  const stepKey = `ascent ${constraintKey(ball)} ${JSON.stringify([goal.task, goal.targeted, ball.norm, ball.eps, ball.bounds, options.stepSize, options.rounding ?? 'zero'])}`;
  const evaluationKey = `evaluation ${goal.task} ${goal.targeted}`;
  const most = target.fixedBatch ?? options.batch;
  const rowsFor = (count: number) => target.fixedBatch ?? fitting(count, most);
  let slots: Climb[] = [];
  let capacity = 0;
  let iterates = new Float32Array(0);
  let starts = new Float32Array(0);

  /** Makes room for all that is under way or waits, up to a full batch. */
  const resize = () => {
    const rows = rowsFor(Math.min(most, slots.length + waiting.length));
    if (rows === capacity) return;
    capacity = rows;
    iterates = resized(iterates, slots.length * size, rows * size);
    starts = resized(starts, slots.length * size, rows * size);
  };

  const constrain = (points: Float32Array, slot: number, clean: Float32Array) =>
    ball.constraint?.project(points, slot * size, clean, slot * size, size, ball);
  const enter = (climb: Climb, slot: number) => {
    const from = climb.sample * size;
    starts.set(x0.subarray(from, from + size), slot * size);
    iterates.set(x0.subarray(from, from + size), slot * size);
    if (options.restarts > 0)
      randomStart(ball, starts, iterates, slot * size, size, options.rng(climb.sample, climb.restart));
    // So that `x` holds a point of the ball even where the loss is never a number.
    if (climb.restart === 0) {
      x.set(iterates.subarray(slot * size, (slot + 1) * size), from);
      ball.constraint?.project(x, from, x0, from, size, ball);
    }
    climb.step = 0;
  };
  const consider = (climb: Climb, iterate: Float32Array, loss: number, isReached: boolean): boolean => {
    climb.queries++;
    if (isReached) {
      x.set(iterate, climb.sample * size);
      reached.add(climb.sample);
      options.decided?.(climb.sample, true, climb.queries);
      return true;
    }
    if (loss > climb.bestLoss) {
      climb.bestLoss = loss;
      x.set(iterate, climb.sample * size);
    }
    return false;
  };
  const evaluateFinals = async () => {
    while (finals.length > 0) {
      throwIfCancelled(options.signal, 'attack');
      const part = finals.splice(0, most);
      const rows = rowsFor(part.length);
      const points = new Float32Array(rows * size);
      for (const [i, { iterate }] of part.entries()) points.set(iterate, i * size);
      const session = await target.compile(evaluationKey, rows, (graph) => evaluation(graph, goal));
      const samples = Array.from(
        { length: rows },
        (_, i) => part[Math.min(i, part.length - 1)]!.climb.sample,
      );
      const out = await session.run({
        [target.input]: f32(points, [rows, ...target.sampleDims]),
        [STEP_INPUTS.goal]: goal.feed(samples),
      });
      target.queries.forward += part.length;
      const logits = out.logits!.data as Float32Array;
      const losses = out.loss!.data as Float32Array;
      for (const [i, { climb, iterate }] of part.entries()) {
        if (consider(climb, iterate, losses[i]!, goal.reached(climb.sample, logits, i * target.classes)))
          continue;
        climb.restart++;
        if (climb.restart < options.restarts) waiting.push(climb);
        else options.decided?.(climb.sample, false, climb.queries);
      }
    }
  };

  for (;;) {
    throwIfCancelled(options.signal, 'attack');
    if (slots.length + waiting.length > 0) resize();
    while (slots.length < capacity && waiting.length > 0) {
      const climb = waiting.pop()!;
      slots.push(climb);
      enter(climb, slots.length - 1);
    }
    if (slots.length === 0) {
      if (finals.length === 0) break;
      await evaluateFinals();
      continue;
    }
    const session = await target.compile(stepKey, capacity, (graph) =>
      ascentStep(graph, goal, ball, options.stepSize, options),
    );
    const samples = Array.from({ length: capacity }, (_, i) => slots[Math.min(i, slots.length - 1)]!.sample);
    const dims = [capacity, ...target.sampleDims];
    // The model sees projected copies under a constraint; the iterates themselves stay free.
    const points = ball.constraint ? iterates.slice() : iterates;
    for (let i = 0; i < slots.length; i++) constrain(points, i, starts);
    const out = await session.run({
      ...(ball.constraint && { [STEP_INPUTS.free]: f32(iterates, dims) }),
      [target.input]: f32(points, dims),
      [STEP_INPUTS.start]: f32(starts, dims),
      [STEP_INPUTS.goal]: goal.feed(samples),
    });
    target.queries.forward += slots.length;
    target.queries.gradient += slots.length;
    const next = out.next!.data as Float32Array<ArrayBuffer>;
    const logits = out.logits!.data as Float32Array;
    const losses = out.loss!.data as Float32Array;
    const staying: number[] = [];
    for (const [i, climb] of slots.entries()) {
      const row = points.subarray(i * size, (i + 1) * size);
      if (consider(climb, row, losses[i]!, goal.reached(climb.sample, logits, i * target.classes))) continue;
      climb.step++;
      if (climb.step < options.steps) {
        staying.push(i);
        continue;
      }
      constrain(next, i, starts);
      finals.push({ climb, iterate: next.slice(i * size, (i + 1) * size) });
    }
    // The runtime's result becomes the next iterates; leavers' rows are closed up so that newcomers enter at the end.
    iterates = next;
    for (const [to, from] of staying.entries()) {
      if (to === from) continue;
      iterates.copyWithin(to * size, from * size, (from + 1) * size);
      starts.copyWithin(to * size, from * size, (from + 1) * size);
    }
    slots = staying.map((i) => slots[i]!);
    if (finals.length >= most) await evaluateFinals();
  }
  return reached;
}

/** Distinguishes sessions by the constraint that is written into them: which elements are free. */
function constraintKey({ constraint }: Ball): string {
  if (!constraint) return '';
  return constraint.free ? createHash('sha256').update(constraint.free).digest('hex') : 'constrained';
}

function check({ steps, restarts, batch, stepSize }: AscentOptions): void {
  const whole = (name: string, value: number, least: number) => {
    if (!Number.isInteger(value) || value < least)
      throw new GlacisError(
        'option/invalid',
        `${name}: expected a whole number of at least ${least}, got ${value}`,
      );
  };
  whole('steps', steps, 1);
  whole('restarts', restarts, 0);
  whole('batch', batch, 1);
  if (!(stepSize >= 0))
    throw new GlacisError('option/invalid', `stepSize: expected a number of at least 0, got ${stepSize}`);
}

/** The first `kept` elements of `from` in an array of `length`. */
function resized(from: Float32Array, kept: number, length: number): Float32Array<ArrayBuffer> {
  const to = new Float32Array(length);
  to.set(from.subarray(0, kept));
  return to;
}
