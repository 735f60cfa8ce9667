import { throwIfCancelled } from '../core/cancel.ts';
import { GlacisError } from '../core/error.ts';
import { type Progress, silent } from '../core/progress.ts';
import { randomFrom } from '../core/random.ts';
import type { Model } from '../onnx/model.ts';
import { elementCount, float32Tensor, numbersOf, stridesOf, type Tensor } from '../onnx/tensor.ts';
import { f32, type HostTensor, i64 } from '../runtime/array.ts';
import type { Engine, Session } from '../runtime/engine.ts';
import { blockSizeOf } from '../runtime/layout.ts';
import { accuracy } from './accuracy.ts';
import { ADAM_DEFAULTS, type AdamOptions, checkAdam } from './adam.ts';
import type { Augment } from './augment.ts';
import { trainableParameters } from './parameters.ts';
import { checkSamples, copySample, type LabelledSamples, shuffled } from './samples.ts';
import { cosineRate } from './schedule.ts';
import { buildTrainingStep, type TrainingStep } from './step.ts';
import { openStep } from './step-session.ts';

/** How {@link train} trains. */
export interface TrainOptions {
  readonly epochs: number;
  /** Samples in a step; a rest of an epoch that fills none is left out of that epoch. */
  readonly batch: number;
  /** Peak of the learning rate. */
  readonly learningRate: number;
  /** Share of all steps over which the learning rate rises, in [0, 1). Default 0.05. */
  readonly warmUp?: number;
  readonly adam?: Partial<AdamOptions>;
  /** Initializers to train. Default: {@link trainableParameters}. */
  readonly parameters?: readonly string[];
  readonly augment?: Augment;
  /** Orders and augments the samples, together with the epoch. */
  readonly seed: number;
  /** Measured after each epoch. */
  readonly validation?: LabelledSamples;
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
}

/** What one epoch did. */
export interface Epoch {
  /** Mean cross-entropy over the epoch's steps, each before its update. */
  readonly loss: number;
  /** Share of the epoch's samples that were right, each before its update. */
  readonly accuracy: number;
  /** Share of the validation samples that are right after the epoch. */
  readonly validation?: number;
}

/** A trained model with its history. */
export interface Trained {
  /** The model that was given, with other initializers. */
  readonly model: Model;
  readonly epochs: readonly Epoch[];
}

/**
 * Trains a classifier by Adam on cross-entropy; every step is one run of one graph (see `step.ts`) or, for small networks, of one a
 * thread (see `step-session.ts`). The same seed, data, machine, versions and threads give the same bytes.
 *
 * Errors: `option/invalid`, `data/mismatch`, `data/label-range`; `run/failed` when the loss is not a number any more;
 * `run/cancelled` between two steps; those of {@link buildTrainingStep}.
 *
 * @example
 * const { model } = await train(engine, convNet({ ... }), { x, y }, { epochs: 5, batch: 64, learningRate: 2e-3, seed: 1 });
 */
export async function train(
  engine: Engine,
  model: Model,
  data: LabelledSamples,
  options: TrainOptions,
): Promise<Trained> {
  const adam = { ...ADAM_DEFAULTS, ...options.adam };
  checkOptions(options, data.y.length);
  checkAdam(adam);
  const parameters = options.parameters ?? trainableParameters(model);
  if (parameters.length === 0)
    throw new GlacisError('model/unsupported-task', 'training: expected weights to train, found none');
  const batch = Math.min(options.batch, data.y.length);
  const settings = { batch, parameters, adam, block: await blockSizeOf(engine) };
  const step = buildTrainingStep(model, settings);
  const size = elementCount(step.sampleDims);
  checkSamples(data, size, step.classes, 'training data');
  if (options.validation) checkSamples(options.validation, size, step.classes, 'validation data');
  const session = await openStep(engine, model, step, settings);
  try {
    let trained = model;
    const epochs: Epoch[] = [];
    for (let epoch = 0; epoch < options.epochs; epoch++) {
      const start = epoch === 0 ? initialState(model, step) : {};
      const ran = await runEpoch(session, step, start, data, options, epoch);
      trained = withWeights(model, step, ran.weights);
      const validation = options.validation
        ? await accuracy(engine, trained, options.validation, options.signal)
        : undefined;
      epochs.push({ ...ran.epoch, ...(validation === undefined ? {} : { validation }) });
    }
    return { model: trained, epochs };
  } finally {
    await session.close();
  }
}

/** Values by the names of the step's inputs or outputs. */
type State = Readonly<Record<string, HostTensor>>;

async function runEpoch(
  session: Session,
  step: TrainingStep,
  start: State,
  data: LabelledSamples,
  options: TrainOptions,
  epoch: number,
): Promise<{ readonly weights: State; readonly epoch: Epoch }> {
  const { seed, signal, progress = silent } = options;
  const order = shuffled(data.y.length, randomFrom(seed, 'train', 'order', epoch));
  const steps = Math.floor(data.y.length / step.batch);
  const total = steps * options.epochs;
  const warmUp = Math.round((options.warmUp ?? 0.05) * total);
  const { loss: lossName, correct: correctName } = step.outputs;
  let weights: State = {};
  let loss = 0;
  let correct = 0;
  let next = batchOf(step, data, order.subarray(0, step.batch), options, epoch);
  for (let k = 0; k < steps; k++) {
    throwIfCancelled(signal, 'training');
    const done = epoch * steps + k;
    const running = session.run(
      {
        ...(k === 0 ? start : {}),
        ...next,
        [step.inputs.step]: i64([done + 1], []),
        [step.inputs.rate]: f32(Float32Array.of(cosineRate(options.learningRate, done, total, warmUp)), []),
      },
      {
        transfer: true,
        // Weights stay where they are trained until the epoch's last step.
        ...(k + 1 < steps
          ? {}
          : { fetches: [lossName, correctName, ...step.parameters.map((p) => p.outputs.weight)] }),
      },
    );
    // While the step runs on its own thread, this one prepares the next batch.
    if (k + 1 < steps)
      next = batchOf(step, data, order.subarray((k + 1) * step.batch, (k + 2) * step.batch), options, epoch);
    const results = await running;
    const stepLoss = Number(results[lossName]!.data[0]);
    if (!Number.isFinite(stepLoss))
      throw new GlacisError(
        'run/failed',
        `training: expected a finite loss, got ${stepLoss} in step ${k + 1} of epoch ${epoch + 1}; lower the learning rate`,
      );
    loss += stepLoss;
    correct += Number(results[correctName]!.data[0]);
    weights = results;
    progress({
      label: `epoch ${epoch + 1} of ${options.epochs}`,
      done: k + 1,
      total: steps,
      note: `loss ${(loss / (k + 1)).toFixed(3)}`,
    });
  }
  return { weights, epoch: { loss: loss / steps, accuracy: correct / (steps * step.batch) } };
}

function batchOf(
  step: TrainingStep,
  data: LabelledSamples,
  samples: Int32Array,
  { seed, augment }: TrainOptions,
  epoch: number,
): State {
  const size = elementCount(step.sampleDims);
  const x = new Float32Array(samples.length * size);
  for (const [to, from] of samples.entries()) {
    copySample(data, from, x, to, size);
    augment?.(
      x.subarray(to * size, (to + 1) * size),
      step.sampleDims,
      randomFrom(seed, 'train', 'augment', epoch, from),
    );
  }
  return {
    [step.inputs.x]: f32(x, [samples.length, ...step.sampleDims]),
    [step.inputs.labels]: i64(Array.from(samples, (i) => data.y[i]!)),
  };
}

/** The state before the first step: the model's weights, no moments. */
export function initialState(model: Model, step: TrainingStep): State {
  const state: Record<string, HostTensor> = {};
  for (const { name, order, dims, inputs } of step.parameters) {
    const count = elementCount(dims);
    const initial = model.graph.initializers.get(name)!;
    const weights = Float32Array.from(numbersOf(initial));
    state[inputs.weight] = f32(transposed(weights, initial.dims, order), dims);
    state[inputs.first] = f32(new Float32Array(count), dims);
    state[inputs.second] = f32(new Float32Array(count), dims);
  }
  return state;
}

/** The model with the weights that a step gave. */
function withWeights(model: Model, step: TrainingStep, results: State): Model {
  const initializers = new Map<string, Tensor>(model.graph.initializers);
  for (const { name, order, dims, outputs } of step.parameters) {
    const back = dims.map((_, axis) => order.indexOf(axis));
    const weights = transposed(results[outputs.weight]!.data as Float32Array, dims, back);
    initializers.set(
      name,
      float32Tensor(
        back.map((axis) => dims[axis]!),
        weights,
      ),
    );
  }
  return { ...model, graph: { ...model.graph, initializers } };
}

/** A copy of `data` of `dims` with its axes in another order. */
function transposed(data: Float32Array, dims: readonly number[], order: readonly number[]): Float32Array {
  if (dims.length < 2) return data.slice();
  const strides = stridesOf(dims);
  const steps = order.map((axis) => strides[axis]!);
  const sizes = order.map((axis) => dims[axis]!);
  const out = new Float32Array(data.length);
  let to = 0;
  const copy = (axis: number, from: number): void => {
    const step = steps[axis]!;
    const end = from + sizes[axis]! * step;
    if (axis < sizes.length - 1) for (let at = from; at < end; at += step) copy(axis + 1, at);
    else for (let at = from; at < end; at += step) out[to++] = data[at]!;
  };
  copy(0, 0);
  return out;
}

function checkOptions({ epochs, batch, learningRate, warmUp = 0.05 }: TrainOptions, n: number): void {
  const check = (holds: boolean, option: string, expected: string, got: number) => {
    if (!holds) throw new GlacisError('option/invalid', `${option}: expected ${expected}, got ${got}`);
  };
  check(Number.isSafeInteger(epochs) && epochs >= 1, 'epochs', 'a whole number of at least 1', epochs);
  check(Number.isSafeInteger(batch) && batch >= 1, 'batch', 'a whole number of at least 1', batch);
  check(learningRate > 0 && Number.isFinite(learningRate), 'learningRate', 'a number above 0', learningRate);
  check(warmUp >= 0 && warmUp < 1, 'warmUp', 'a share from 0 up to, but not, 1', warmUp);
  if (n === 0) throw new GlacisError('data/mismatch', 'training data: expected samples, got none');
}
