import { GlacisError } from '../core/error.ts';
import type { Value } from '../onnx/graph-builder.ts';
import type { Model } from '../onnx/model.ts';
import { inLayout } from '../runtime/layout.ts';
import { vjp } from '../transform/gradient/vjp.ts';
import { findLogits } from '../transform/logits.ts';
import { crossEntropy, crossEntropyGradient } from '../transform/loss.ts';
import { specialise, type Trace } from '../transform/specialise.ts';
import { type AdamOptions, adam } from './adam.ts';

/** Names in the step's graph of one weight: what it takes in, and what it gives back for the next step. */
export interface StepParameter {
  /** Name of the initializer in the model; the input that takes the weight has the same. */
  readonly name: string;
  /** The initializer's axes in the order in which the step takes and gives the weight and its moments. */
  readonly order: readonly number[];
  /** Shape of weight and moments, in that order. */
  readonly dims: readonly number[];
  readonly inputs: { readonly weight: string; readonly first: string; readonly second: string };
  readonly outputs: { readonly weight: string; readonly first: string; readonly second: string };
}

/** A whole training step as one model. */
export interface TrainingStep {
  readonly model: Model;
  readonly parameters: readonly StepParameter[];
  readonly batch: number;
  /** Inputs beside the weights: samples, labels `[batch]` int64, step number (int64, from 1), learning rate. */
  readonly inputs: {
    readonly x: string;
    readonly labels: string;
    readonly step: string;
    readonly rate: string;
  };
  /** Outputs beside the weights: mean loss (float32 scalar), and how many of the batch were right (int64 scalar). */
  readonly outputs: { readonly loss: string; readonly correct: string };
  /** Shape of one sample. */
  readonly sampleDims: readonly number[];
  readonly classes: number;
}

/** How {@link buildTrainingStep} writes the step. */
export interface StepOptions {
  readonly batch: number;
  /** Initializers to train. */
  readonly parameters: readonly string[];
  readonly adam: AdamOptions;
  /** Channels in a block of the runtime's layout for convolutions (see `runtime/layout.ts`). Default 0: none. */
  readonly block?: number;
}

/**
 * One step of training a classifier as one ONNX graph: forward, mean cross-entropy, its gradient with respect to the weights,
 * and Adam's update. Weights and moments go in and come out, so that the graph holds no state and the model's file is
 * never touched; a session may keep them (see `step-session.ts`).
 *
 * Errors: those of `specialise`, `findLogits` and `vjp`; `option/invalid` for a weight that is not float32;
 * `model/unsupported-task` for a model without a row of logits for each sample.
 */
export function buildTrainingStep(
  model: Model,
  { batch, parameters, adam: options, block = 0 }: StepOptions,
): TrainingStep {
  const trace = specialise(model, { batch, parameters, parameterOrder: heldOrder });
  const { b } = trace;
  const { x, labels, classes, loss, correct, gradients } = lossAndGradients(trace, batch);
  const step = b.builder.input('step', 'int64', []);
  const rate = b.builder.input('rate', 'float32', []);
  const outputs: Record<string, Value> = {};
  const give = (hint: string, value: Value): string => {
    const name = b.builder.freshName(hint);
    outputs[name] = value;
    return name;
  };
  const steps = [...trace.parameters].map(([name, weight], i): StepParameter => {
    if (weight.dtype !== 'float32')
      throw new GlacisError(
        'option/invalid',
        `parameters: expected float32 weights, got ${weight.dtype} for ${name}; convert the model first`,
      );
    const first = b.builder.input(`${name}/first`, 'float32', weight.dims);
    const second = b.builder.input(`${name}/second`, 'float32', weight.dims);
    const next = adam(b, { weight, first, second }, gradients[i]!, step, rate, options);
    return {
      name,
      order: heldOrder(weight.dims),
      dims: weight.dims,
      inputs: { weight: weight.name, first: first.name, second: second.name },
      outputs: {
        weight: give(`${name}/next`, next.weight),
        first: give(`${name}/first/next`, next.first),
        second: give(`${name}/second/next`, next.second),
      },
    };
  });
  const named = { loss: give('loss', loss), correct: give('correct', correct) };
  return {
    model: inLayout(b.builder, outputs, block, 'training step'),
    parameters: steps,
    batch,
    inputs: { x: x.name, labels: labels.name, step: step.name, rate: rate.name },
    outputs: named,
    sampleDims: x.dims.slice(1),
    classes,
  };
}

/** What some samples add to a step. */
export interface LossAndGradients {
  readonly x: Value;
  readonly labels: Value;
  readonly classes: number;
  /** Their share of the batch's mean loss. */
  readonly loss: Value;
  /** How many of them were right. */
  readonly correct: Value;
  /** Their share of the gradients, in the parameters' order. */
  readonly gradients: readonly Value[];
}

/** Writes loss and gradients of a classifier's samples, which are all or a part of a batch of `batch`. */
export function lossAndGradients(trace: Trace, batch: number): LossAndGradients {
  const { b } = trace;
  const [x, ...others] = trace.inputs.values();
  if (!x || others.length > 0)
    throw new GlacisError(
      'model/unsupported-task',
      `training: expected a model with one input, got ${trace.inputs.size}`,
    );
  const { logits, output } = findLogits(trace);
  const rows = x.dims[0]!;
  if (logits.dims.length !== 2 || logits.dims[0] !== rows || logits.dims[1]! < 2)
    throw new GlacisError(
      'model/unsupported-task',
      `output ${output}: expected [${rows}, classes] with at least two classes, got [${logits.dims.join(', ')}]`,
    );
  const labels = b.builder.input('labels', 'int64', [rows]);
  const loss = b.div(b.sum(crossEntropy(b, logits, labels), [0]), batch);
  const hits = b.compare('Equal', b.node('ArgMax', [logits], { axis: 1, keepdims: 0 }), labels);
  const correct = b.sum(b.cast(hits, 'int64'), [0]);
  const grad = b.div(crossEntropyGradient(b, logits, labels), batch);
  const gradients = vjp(b, [{ value: logits, grad }], [...trace.parameters.values()]);
  return { x, labels, classes: logits.dims[1]!, loss, correct, gradients };
}

/**
 * Weights of two-dimensional convolutions `[O, I, H, W]` are held as `[H, W, I, O]` between the steps: products over rows give their
 * gradient in that order, Winograd's transform takes them so, and the blocked order is whole blocks away.
 */
export function heldOrder(dims: readonly number[]): readonly number[] {
  return dims.length === 4 ? [2, 3, 1, 0] : [...dims.keys()];
}
