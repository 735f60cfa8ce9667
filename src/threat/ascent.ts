import { createHash } from 'node:crypto';
import { throwIfCancelled } from '../core/cancel.ts';
import { GlacisError } from '../core/error.ts';
import type { Rng } from '../core/random.ts';
import { elementCount } from '../onnx/tensor.ts';
import { f32 } from '../runtime/array.ts';
import { type BatchRunner, batchRunner } from '../runtime/batch-runner.ts';
import { type Batch, inTurns } from '../runtime/in-turns.ts';
import type { WhiteBoxTarget } from '../runtime/target.ts';
import type { Goal } from './goal.ts';
import { type Ball, randomStart } from './norm.ts';
import { ascentStep, evaluation, STEP_INPUTS, type StepOptions } from './step.ts';

/** What {@link ascend} needs. */
export interface AscentOptions extends StepOptions {
  /** Steps from each start; at least 1. */
  readonly steps: number;
  /** Length of a step in the ball's norm, in input units. */
  readonly stepSize: number;
  /** Random starts; 0 starts once from the input itself. */
  readonly restarts: number;
  /** Samples in one run of the graph, at least 1; a model whose file fixes the batch size runs at that one. */
  readonly batch: number;
  /**
   * Whether the caller judges what comes out: then the end of a single step from a single start is not evaluated, which is the answer whatever the
   * model says of it, and counts as not reached.
   */
  readonly isJudged?: boolean | undefined;
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
  /** Where it is now. */
  iterate: Float32Array;
  /** Highest loss seen; the place is in the caller's `x`. */
  bestLoss: number;
}

/**
 * Projected gradient ascent on the goal's loss for the samples `todo` of `x0` (row-major, `[n, …sampleDims]`). The best iterate of
 * every sample is written over its row of `x`: the first that reaches the goal, otherwise the one of highest loss. Gives
 * the samples that reached it.
 *
 * Samples climb at their own pace and share batches with whoever is ready, several batches under way at once: one that has reached its goal
 * makes room for the next, and no thread waits for another. Last iterates are evaluated without a gradient. What becomes of a sample does
 * not depend on the batch or on the others in it, up to the rounding of the runtime's vectorised kernels, which depends on a sample's
 * place in the batch (steps by signs, linf and l1, hide it).
 * When `signal` fires, samples that were decided keep their rows of `x`; the others' hold what was best so far.
 * Errors: `option/invalid`, `run/cancelled`, `run/failed`.
 * Cost per sample that never reaches it: `max(1, restarts) × steps` gradients and as many evaluations as starts, or, of a single step that the caller
 * judges, the gradient alone.
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
  const { steps, restarts, signal } = options;
  const endsUnasked = options.isJudged && steps === 1 && restarts <= 1;
  const size = elementCount(target.sampleDims);
  const gradients = batchRunner(target, options.batch, 'gradients');
  const answers = batchRunner(target, options.batch, 'answers');
  const most = 2 * gradients.batch * gradients.parallel;
  const graphs = graphsOf(goal, ball, options);
  const reached = new Set<number>();
  const waiting = todo.values();
  /** Who waits for a step, and who, after the last one, for an answer. */
  const climbing: Climb[] = [];
  const arrived: Climb[] = [];
  let open = 0;

  const cleanOf = ({ sample }: Climb) => x0.subarray(sample * size, (sample + 1) * size);
  const constrain = (point: Float32Array, clean: Float32Array) =>
    ball.constraint?.project(point, 0, clean, 0, size, ball);
  const begin = (climb: Climb) => {
    const clean = cleanOf(climb);
    climb.step = 0;
    // Nothing is written to an iterate on its way, so that the clean sample itself will do.
    climb.iterate = restarts > 0 ? clean.slice() : clean;
    if (restarts > 0)
      randomStart(ball, clean, climb.iterate, 0, size, options.rng(climb.sample, climb.restart));
    climbing.push(climb);
  };
  const fill = () => {
    while (open < most) {
      const { value: sample, done } = waiting.next();
      if (done) return;
      const climb = { sample, restart: 0, step: 0, queries: 0, iterate: x0, bestLoss: -Infinity };
      open++;
      begin(climb);
      // So that `x` holds a point of the ball even where the loss is never a number.
      x.set(climb.iterate, sample * size);
      constrain(x.subarray(sample * size, (sample + 1) * size), cleanOf(climb));
    }
  };
  /** Hears what the model said of a climb's point. */
  const consider = (climb: Climb, point: Float32Array, loss: number, isReached: boolean): boolean => {
    climb.queries++;
    if (isReached || loss > climb.bestLoss) {
      climb.bestLoss = loss;
      x.set(point, climb.sample * size);
    }
    if (!isReached) return false;
    reached.add(climb.sample);
    decide(climb, true);
    return true;
  };
  const decide = ({ sample, queries }: Climb, isReached: boolean) => {
    open--;
    options.decided?.(sample, isReached, queries);
  };
  const buffers = new Map<string, Float32Array>();
  /** The climbs' rows one after another, in the buffer of this name; what fills the batch up repeats the last. */
  const rowsOf = (
    name: 'points' | 'starts' | 'free',
    climbs: readonly Climb[],
    rows: number,
    of: (climb: Climb) => Float32Array,
  ) => {
    // Used again by the next batch: a runner has copied it by then.
    const all = buffers.get(`${name} ${rows}`) ?? new Float32Array(rows * size);
    buffers.set(`${name} ${rows}`, all);
    for (let i = 0; i < rows; i++) all.set(of(climbs[Math.min(i, climbs.length - 1)]!), i * size);
    return f32(all, [rows, ...target.sampleDims]);
  };
  const goalsOf = (climbs: readonly Climb[], rows: number) =>
    goal.feed(Array.from({ length: rows }, (_, i) => climbs[Math.min(i, climbs.length - 1)]!.sample));

  const evaluated =
    (climbs: readonly Climb[]): Batch =>
    async () => {
      const out = await graphs.evaluate(answers, climbs.length, (rows) => ({
        [target.input]: rowsOf('points', climbs, rows, ({ iterate }) => iterate),
        [STEP_INPUTS.goal]: goalsOf(climbs, rows),
      }));
      return () => {
        target.queries.forward += climbs.length;
        const logits = out.logits!.data as Float32Array;
        const losses = out.loss!.data as Float32Array;
        for (const [i, climb] of climbs.entries()) {
          const isReached = goal.reached(climb.sample, logits, i * target.classes);
          if (consider(climb, climb.iterate, losses[i]!, isReached)) continue;
          climb.restart++;
          if (climb.restart < restarts) begin(climb);
          else decide(climb, false);
        }
      };
    };
  const stepped =
    (climbs: readonly Climb[]): Batch =>
    async () => {
      // The model sees projected copies under a constraint; the iterates themselves stay free.
      const points = climbs.map((climb) => {
        if (!ball.constraint) return climb.iterate;
        const point = climb.iterate.slice();
        constrain(point, cleanOf(climb));
        return point;
      });
      const pointOf = new Map(climbs.map((climb, i) => [climb, points[i]!]));
      const out = await graphs.step(gradients, climbs.length, (rows) => ({
        ...(ball.constraint && {
          [STEP_INPUTS.free]: rowsOf('free', climbs, rows, ({ iterate }) => iterate),
        }),
        [target.input]: rowsOf('points', climbs, rows, (climb) => pointOf.get(climb)!),
        [STEP_INPUTS.start]: rowsOf('starts', climbs, rows, cleanOf),
        [STEP_INPUTS.goal]: goalsOf(climbs, rows),
      }));
      return () => {
        target.queries.forward += climbs.length;
        target.queries.gradient += climbs.length;
        const next = out.next!.data as Float32Array;
        const logits = out.logits!.data as Float32Array;
        const losses = out.loss!.data as Float32Array;
        for (const [i, climb] of climbs.entries()) {
          const isReached = goal.reached(climb.sample, logits, i * target.classes);
          if (consider(climb, points[i]!, losses[i]!, isReached)) continue;
          // A view of the runtime's result, which is nobody else's.
          climb.iterate = next.subarray(i * size, (i + 1) * size);
          climb.step++;
          if (climb.step < steps) climbing.push(climb);
          else {
            constrain(climb.iterate, cleanOf(climb));
            if (endsUnasked) {
              x.set(climb.iterate, climb.sample * size);
              decide(climb, false);
            } else arrived.push(climb);
          }
        }
      };
    };

  await inTurns({ parallel: gradients.parallel, inOrder: true, signal }, () => {
    fill();
    const isLast = arrived.length >= answers.batch || climbing.length === 0;
    const [queue, { batch, sizes }] = isLast ? [arrived, answers] : [climbing, gradients];
    if (queue.length === 0) return undefined;
    const count = sizes?.find((rows) => rows <= queue.length) ?? Math.min(batch, queue.length);
    const climbs = queue.splice(0, count);
    return isLast ? evaluated(climbs) : stepped(climbs);
  });
  throwIfCancelled(signal, 'attack');
  return reached;
}

type Feeds = Parameters<BatchRunner['run']>[3];

/** The two graphs of an ascent. */
function graphsOf(goal: Goal, ball: Ball, options: AscentOptions) {
  const { stepSize, rounding = 'zero', l1Step = 'largest' } = options;
  const stepKey = `ascent ${constraintKey(ball)} ${JSON.stringify([goal.task, goal.targeted, ball.norm, ball.eps, ball.bounds, stepSize, rounding, l1Step])}`;
  const evaluationKey = `evaluation ${goal.task} ${goal.targeted}`;
  return {
    step: (runner: BatchRunner, count: number, feeds: Feeds) =>
      runner.run(stepKey, count, (graph) => ascentStep(graph, goal, ball, stepSize, options), feeds),
    evaluate: (runner: BatchRunner, count: number, feeds: Feeds) =>
      runner.run(evaluationKey, count, (graph) => evaluation(graph, goal), feeds),
  };
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
