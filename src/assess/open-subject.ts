import { GlacisError } from '../core/error.ts';
import type { Model } from '../onnx/model.ts';
import type { Engine } from '../runtime/engine.ts';
import { fileOracle } from '../runtime/file-oracle.ts';
import type { FixedInputs } from '../runtime/fixed-input.ts';
import { openPredictor } from '../runtime/predictor.ts';
import { compareWithDeployed } from '../runtime/soundness.ts';
import { openTarget, type WhiteBoxTarget } from '../runtime/target.ts';
import { batchFor } from './batch-size.ts';
import type { Subject } from './subject.ts';

/** What {@link openSubject} opens. */
export interface SubjectOptions {
  /** The model for the attack: inlined, in float32. */
  readonly model: Model;
  /** The file as it is deployed. */
  readonly deployed: Model;
  readonly input: string;
  readonly sampleDims: readonly number[];
  readonly fixed: FixedInputs;
  readonly output: string | undefined;
  /** Samples in one run; chosen from the cost without. */
  readonly batch: number | undefined;
  /** Some samples to compare both forms on. */
  readonly first: { readonly x: Float32Array; readonly count: number };
  readonly signal: AbortSignal | undefined;
}

/** An open subject and what was found on the way. */
export interface OpenedSubject {
  readonly subject: Subject;
  readonly batch: number;
  readonly randomised: boolean;
  /** All outputs on the first samples lie in [0, 1]. */
  readonly unit: boolean;
  readonly notes: readonly string[];
}

/** One way to read a model's batch dimension. */
interface Way {
  readonly lift: boolean;
  /** Pins an open batch dimension at one sample. */
  readonly pin: boolean;
}

/** What sends on to the next way: shapes that do not fit, or answers that differ from the file's. */
const NEXT = new Set(['model/dynamic-shape', 'model/invalid', 'data/mismatch', 'run/failed']);

/**
 * Opens a model for attack and verdict, at a batch of many wherever that gives the file's own answers: as the file says, or with
 * a batch of one that is baked into its shapes lifted; otherwise one sample at a time.
 * Errors: those of `openTarget` and `compareWithDeployed`, of the first way that was tried.
 */
export async function openSubject(engine: Engine, options: SubjectOptions): Promise<OpenedSubject> {
  const info = options.model.graph.inputs.find((i) => i.name === options.input);
  const batchDim = info?.type.kind === 'tensor' ? info.type.dims?.[0] : undefined;
  const single: Way = { lift: false, pin: true };
  const lifted: Way = { lift: true, pin: false };
  const ways =
    batchDim === 1
      ? [lifted, single]
      : typeof batchDim === 'number'
        ? [{ lift: false, pin: false }]
        : [{ lift: false, pin: false }, lifted, single];
  let firstError: unknown;
  for (const way of ways) {
    try {
      return await openAs(engine, options, way);
    } catch (thrown) {
      firstError ??= thrown;
      if (!(thrown instanceof GlacisError && NEXT.has(thrown.code))) throw thrown;
    }
  }
  throw firstError;
}

async function openAs(engine: Engine, options: SubjectOptions, way: Way): Promise<OpenedSubject> {
  const { input, sampleDims, fixed, output, first, signal } = options;
  const pinned = (model: Model) => (way.pin ? withBatchOfOne(model, input) : model);
  const target = openTarget(engine, pinned(options.model), {
    input,
    sampleDims,
    fixed,
    lift: way.lift,
    ...(output !== undefined && { output }),
  });
  const batch = target.fixedBatch ?? options.batch ?? batchFor(target);
  const oracle = fileOracle(target, batch);
  const isOpen = !way.lift && target.fixedBatch === undefined;
  const predictor = await openPredictor(engine, pinned(options.deployed), {
    input,
    output: target.found.output,
    sampleDims,
    // A file whose batch is open but baked into its shapes answers one sample at a time.
    batch: way.lift ? 1 : batch,
    fixed,
    lanes: isOpen && target.lanes ? { count: target.lanes.count, rows: oracle.batch } : undefined,
  });
  const subject = {
    sampleDims: target.sampleDims,
    classes: target.classes,
    target,
    oracle,
    queries: target.queries,
    predictor,
    activation: target.found.stripped,
    toLogits: target.found.stripped === 'Sigmoid' ? logit : (outputs: Float32Array) => outputs,
  };
  try {
    const { randomised, unit } = await compareWithDeployed(subject, first.x, first.count, signal);
    return { subject, batch, randomised, unit, notes: notesOn(way, target) };
  } catch (thrown) {
    await target.close();
    await predictor.close();
    throw thrown;
  }
}

function notesOn({ lift }: Way, { fixedBatch }: WhiteBoxTarget): readonly string[] {
  if (lift)
    return [
      'the file is made for one sample at a time: the graph for the attack was written for many, and gives the same answers',
    ];
  if (fixedBatch === undefined) return [];
  return [`the file runs ${fixedBatch === 1 ? 'one sample' : `${fixedBatch} samples`} at a time only`];
}

function withBatchOfOne(model: Model, input: string): Model {
  const { graph } = model;
  const inputs = graph.inputs.map((i) =>
    i.name === input && i.type.kind === 'tensor' && i.type.dims
      ? { ...i, type: { ...i.type, dims: [1, ...i.type.dims.slice(1)] } }
      : i,
  );
  return { ...model, graph: { ...graph, inputs } };
}

/** `log(p / (1 − p))` of every probability. */
function logit(outputs: Float32Array): Float32Array {
  return outputs.map((p) => Math.log(p / (1 - p)));
}
