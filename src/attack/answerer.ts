import { elementCount } from '../onnx/tensor.ts';
import { f32, i64 } from '../runtime/array.ts';
import { batchRunner } from '../runtime/batch-runner.ts';
import type { Oracle } from '../runtime/oracle.ts';
import type { TargetGraph, WhiteBoxTarget } from '../runtime/target.ts';
import type { Goal } from '../threat/goal.ts';
import { STEP_INPUTS } from '../threat/step.ts';
import type { GradientOptions } from '../transform/gradient/rule.ts';
import { vjp } from '../transform/gradient/vjp.ts';
import { logitsRatio, targetedLogitsRatio } from '../transform/loss.ts';
import { gradientsIn, type Loss, type Question } from './question.ts';

/** One point of a question, with the sample that it belongs to. */
export interface Row {
  readonly sample: number;
  readonly question: Question;
  /** Number of the point in its question. */
  readonly index: number;
}

/** What a batch of rows got; row `i` is at `i × classes`, and so on. */
export interface Rows {
  readonly logits: Float32Array;
  readonly losses?: Float32Array;
  readonly gradients?: Float32Array;
}

/** Answers batches of rows that share a {@link keyOf}. */
export interface Answerer {
  /** Most rows at once. */
  readonly batch: number;
  /** Batches that may be under way at once. */
  readonly parallel: number;
  /** Sizes of batches, falling, that waste nothing: less than a full batch is run at once, in parts. Batches should be full without. */
  readonly sizes?: readonly number[] | undefined;
  /**
   * Answers are heard in the order in which batches were started, so that what shares a batch does not depend on the clock; of a model
   * that is run here.
   */
  readonly inOrder?: boolean;
  answer(rows: readonly Row[], signal: AbortSignal | undefined): Promise<Rows>;
}

/** Questions of the same key can be answered by one run of a graph. */
export function keyOf(question: Question): string {
  if (question.kind === 'answers') return 'answers';
  const { loss, cotangent } = question;
  return `gradient ${loss}${cotangent ? ` ${cotangent.length}` : ''}`;
}

const INPUTS = { ...STEP_INPUTS, target: 'glacis_target', cotangent: 'glacis_cotangent' } as const;

/**
 * Answers from the model's own graph: scores, and gradients of any {@link Loss}. Errors: those of {@link WhiteBoxTarget.compile},
 * `run/failed`.
 */
export function whiteBoxAnswerer(
  target: WhiteBoxTarget,
  goal: Goal,
  batch: number,
  options: GradientOptions = {},
): Answerer {
  const size = elementCount(target.sampleDims);
  const runner = batchRunner(target, batch, 'gradients');
  const { rounding = 'zero', saturation = 'exact' } = options;
  const buffers = new Map<number, Float32Array>();
  const bufferFor = (rows: number) => {
    const buffer = buffers.get(rows) ?? new Float32Array(rows * size);
    buffers.set(rows, buffer);
    return buffer;
  };
  return {
    batch: runner.batch,
    parallel: runner.parallel,
    sizes: runner.sizes,
    inOrder: true,
    async answer(asked, _signal) {
      const { question } = asked[0]!;
      const points = (rows: number) => ({
        [target.input]: f32(gathered(asked, rows, size, bufferFor(rows)), [rows, ...target.sampleDims]),
      });
      target.queries.forward += asked.length;
      if (question.kind === 'answers') {
        const out = await runner.run('logits', asked.length, ({ logits }) => ({ logits }), points);
        return { logits: out.logits!.data as Float32Array };
      }
      const { loss } = question;
      const gradients = gradientsIn(question, target.classes);
      target.queries.gradient += gradients * asked.length;
      const out = await runner.run(
        `gradient ${goal.task} ${goal.targeted} ${loss} ${gradients} ${rounding} ${saturation}`,
        asked.length,
        (graph) =>
          loss === 'linear'
            ? gradientsAlong(graph, gradients, options)
            : gradientOf(graph, goal, loss, options),
        (rows) => ({ ...points(rows), ...lossFeeds(loss, goal, filled(asked, rows)) }),
      );
      return {
        logits: out.logits!.data as Float32Array,
        losses: out.loss!.data as Float32Array,
        gradients: out.gradient!.data as Float32Array,
      };
    },
  };
}

/** Answers by asking: no gradients. Several requests may be under way. */
export function oracleAnswerer(oracle: Oracle, queries: { forward: number }): Answerer {
  const size = elementCount(oracle.sampleDims);
  /** Memory that is used again, by length; only with a model that is run here, because others may keep what they are given. */
  const spare = new Map<number, Float32Array[]>();
  const isHere = oracle.sizes !== undefined;
  return {
    batch: oracle.batch,
    parallel: oracle.parallel,
    sizes: oracle.sizes,
    inOrder: isHere,
    async answer(rows, signal) {
      queries.forward += rows.length;
      const length = rows.length * size;
      const points = gathered(rows, rows.length, size, spare.get(length)?.pop() ?? new Float32Array(length));
      const logits = await oracle.ask(points, rows.length, signal);
      if (isHere) spare.set(length, [...(spare.get(length) ?? []), points]);
      return { logits };
    },
  };
}

/** The rows' points one after another, written over `points`; what fills the batch up repeats the last one. */
function gathered(asked: readonly Row[], rows: number, size: number, points: Float32Array): Float32Array {
  for (let i = 0; i < asked.length; i++) points.set(pointOf(asked[i]!, size), i * size);
  for (let i = asked.length; i < rows; i++)
    points.copyWithin(i * size, (asked.length - 1) * size, asked.length * size);
  return points;
}

function filled(asked: readonly Row[], rows: number): readonly Row[] {
  return asked.length === rows
    ? asked
    : Array.from({ length: rows }, (_, i) => asked[Math.min(i, asked.length - 1)]!);
}

function pointOf({ question, index }: Row, size: number): Float32Array {
  return question.kind === 'gradient'
    ? question.point
    : question.points.subarray(index * size, (index + 1) * size);
}

/** Gradients of `⟨cotangent, logits⟩` for `count` cotangents `[rows, count × classes]`: `[rows, count × size]`, from one forward pass. */
function gradientsAlong({ b, x, logits }: TargetGraph, count: number, options: GradientOptions) {
  const [rows, classes] = logits.dims as readonly [number, number];
  const given = b.builder.input(INPUTS.cotangent, logits.dtype, [rows, count * classes]);
  const cotangents = b.split(given, 1, new Array<number>(count).fill(classes));
  const gradients = cotangents.map((grad) => {
    const [gradient] = vjp(b, [{ value: logits, grad }], [x], options);
    return b.reshape(gradient!, [rows, elementCount(x.dims) / rows]);
  });
  return {
    logits,
    loss: b.sum(b.mul(cotangents[0]!, logits), [1]),
    gradient: count === 1 ? gradients[0]! : b.concat(gradients, 1),
  };
}

function gradientOf(
  { b, x, logits }: TargetGraph,
  goal: Goal,
  loss: Exclude<Loss, 'linear'>,
  options: GradientOptions,
) {
  const rows = x.dims[0]!;
  const { dtype, dims } = goal.input(rows);
  const wanted = b.builder.input(INPUTS.goal, dtype, dims);
  if (loss === 'goal') {
    const { loss: value, gradient: cotangent } = goal.loss(b, logits, wanted);
    const from = cotangent
      ? { value: logits, grad: cotangent }
      : { value, grad: b.full(value.dims, 1, value.dtype) };
    return { logits, loss: value, gradient: vjp(b, [from], [x], options)[0]! };
  }
  const value =
    loss === 'margin'
      ? goal.marginLoss(b, logits, wanted)
      : loss === 'dlr'
        ? logitsRatio(b, logits, wanted)
        : targetedLogitsRatio(b, logits, wanted, b.builder.input(INPUTS.target, 'int64', [rows]));
  const [gradient] = vjp(b, [{ value, grad: b.full(value.dims, 1, value.dtype) }], [x], options);
  return { logits, loss: value, gradient: gradient! };
}

function lossFeeds(loss: Loss, goal: Goal, rows: readonly Row[]) {
  const gradient = rows.map(({ question }) => (question.kind === 'gradient' ? question : undefined));
  if (loss === 'linear') {
    const width = gradient[0]!.cotangent!.length;
    const cotangents = new Float32Array(rows.length * width);
    for (const [i, question] of gradient.entries()) cotangents.set(question!.cotangent!, i * width);
    return { [INPUTS.cotangent]: f32(cotangents, [rows.length, width]) };
  }
  return {
    [INPUTS.goal]: goal.feed(rows.map((row) => row.sample)),
    ...(loss === 'targeted-dlr' && { [INPUTS.target]: i64(gradient.map((q) => q!.target!)) }),
  };
}
