import { GlacisError } from '../../core/error.ts';
import type { DType } from '../../onnx/dtype.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import type { Model } from '../../onnx/model.ts';
import { vjp } from '../../transform/gradient/vjp.ts';
import type { Ops } from '../../transform/ops.ts';
import type { Criterion } from '../criterion/criterion.ts';
import type { DrawKind, Lesson, Objective } from '../objective/objective.ts';
import { type Network, openNetwork, type Statistic } from './network.ts';

/** Random numbers that a step takes in. */
export interface Draw {
  readonly input: string;
  /** Shape of one sample's numbers. */
  readonly dims: readonly number[];
  /** `keep`: 0 with probability `rate`, else `1 / (1 − rate)`. */
  readonly kind: DrawKind | 'keep';
  readonly rate?: number;
}

/** An array that goes from step to step beside weights and what the optimiser keeps: running statistics, perturbations. */
export interface CarriedValue {
  readonly name: string;
  readonly before: Value;
  readonly after: Value;
}

/** What samples add to a step: gradients of the weights, and what else the step gives. */
export interface WrittenLesson {
  readonly b: Ops;
  readonly x: Value;
  /** The samples as an attack outside of the graph leaves them, where the objective learns from those. */
  readonly attacked?: Value | undefined;
  readonly targets: { readonly input: string; readonly dtype: DType; readonly dims: readonly number[] };
  readonly outputs: number;
  readonly draws: readonly Draw[];
  /** Inputs of the settings, by name. */
  readonly settings: Readonly<Record<string, string>>;
  readonly weights: readonly { readonly name: string; readonly value: Value }[];
  /** Their share of the mean gradients over the batch, in the order of the weights. */
  readonly gradients: readonly Value[];
  /** Scalars: their share of the mean loss; how many were right as they are, and attacked. */
  readonly measures: { readonly loss: Value; readonly correct?: Value; readonly robust?: Value };
  readonly statistics: readonly Statistic[];
  readonly keeps: readonly CarriedValue[];
}

/** What {@link writeLesson} writes. */
export interface LessonOptions {
  /** Initializers to train. */
  readonly parameters: readonly string[];
  readonly criterion: Criterion;
  readonly objective: Objective;
  /** Samples in the batch. */
  readonly batch: number;
  /** Samples of it that go through this graph. */
  readonly rows: number;
}

/** A network with an objective written on it, before any gradient of its weights. */
export interface OpenedLesson
  extends Pick<WrittenLesson, 'b' | 'x' | 'attacked' | 'targets' | 'outputs' | 'draws' | 'weights'> {
  readonly network: Network;
  readonly lesson: Lesson;
  /** Inputs of the settings that were asked for so far, by name. */
  readonly settings: ReadonlyMap<string, Value>;
  /** Inputs of what the objective keeps, by name. */
  readonly kept: ReadonlyMap<string, Value>;
}

/**
 * Writes the network and what the objective makes of `rows` samples.
 * Errors: those of `openNetwork`; `option/invalid` for a weight that is not float32; `model/unsupported-task` for one output where classes
 * are asked for.
 */
export function openLesson(
  model: Model,
  { parameters, criterion, objective, rows }: Omit<LessonOptions, 'batch'>,
): OpenedLesson {
  const network = openNetwork(model, parameters, rows);
  const { b } = network.trace;
  const { x, weights } = network;
  for (const { name, value } of weights)
    if (value.dtype !== 'float32')
      throw new GlacisError(
        'option/invalid',
        `parameters: expected float32 weights, got ${value.dtype} for ${name}; convert the model first`,
      );
  const outputs = network.forward(x, { as: 'deployed' }).dims[1]!;
  if (criterion.name.endsWith('cross-entropy') && outputs < 2)
    throw new GlacisError(
      'model/unsupported-task',
      `training: expected at least two classes for ${criterion.name}, got ${outputs} output`,
    );
  const { dtype, dims } = criterion.targets(rows, outputs);
  const targets = b.builder.input('targets', dtype, dims);
  const draws: Draw[] = [];
  const settings = new Map<string, Value>();
  const drawn = new Map<string, Value>();
  const kept = new Map<string, Value>();
  const attacked = new Map<string, Value>();
  const lesson = objective.write({
    b,
    x,
    attacked: () => once(attacked, 'attacked', () => b.builder.input('attacked', 'float32', x.dims)),
    targets,
    criterion,
    weights: weights.map(({ value }) => value),
    forward: network.forward,
    draw: (name, kind) =>
      once(drawn, name, () => {
        const value = b.builder.input(name, 'float32', x.dims);
        draws.push({ input: value.name, dims: x.dims.slice(1), kind });
        return value;
      }),
    setting: (name) => once(settings, name, () => b.builder.input(name, 'float32', [])),
    kept: (name, shape) => once(kept, name, () => b.builder.input(name, 'float32', shape)),
  });
  for (const { input, rate } of network.masks())
    draws.push({ input: input.name, dims: input.dims.slice(1), kind: 'keep', rate });
  return {
    b,
    x,
    network,
    lesson,
    attacked: attacked.get('attacked'),
    kept,
    targets: { input: targets.name, dtype, dims },
    outputs,
    draws,
    settings,
    weights,
  };
}

/** The names of settings' inputs. */
export function settingsOf({ settings }: OpenedLesson): WrittenLesson['settings'] {
  return Object.fromEntries([...settings].map(([name, value]) => [name, value.name]));
}

/**
 * Writes what `rows` samples of a batch teach: loss, measures, and the gradients of the weights.
 * Errors: those of {@link openLesson} and `vjp`.
 */
export function writeLesson(model: Model, options: LessonOptions): WrittenLesson {
  const opened = openLesson(model, options);
  const { b, x, attacked, targets, outputs, draws, weights, network, lesson, kept } = opened;
  const { batch } = options;
  const wrt = [...(lesson.wrt ?? weights.map(({ value }) => value)), ...(lesson.beside ?? [])];
  const seeds = lesson.seeds.map(({ value, grad }) => ({ value, grad: b.div(grad, batch) }));
  const all = vjp(b, seeds, wrt, { constants: lesson.constants ?? [] });
  const after = lesson.keeps?.(all.slice(weights.length)) ?? {};
  const count = (hits: Value) => b.sum(b.cast(hits, 'int64'), [0]);
  return {
    b,
    x,
    attacked,
    targets,
    outputs,
    draws,
    settings: settingsOf(opened),
    weights,
    gradients: all.slice(0, weights.length),
    measures: {
      loss: b.div(b.sum(lesson.losses, [0]), batch),
      ...(lesson.hits ? { correct: count(lesson.hits) } : {}),
      ...(lesson.robustHits ? { robust: count(lesson.robustHits) } : {}),
    },
    statistics: network.statistics(),
    keeps: [...kept].map(([name, before]) => ({ name, before, after: after[name]! })),
  };
}

function once(known: Map<string, Value>, name: string, make: () => Value): Value {
  const there = known.get(name);
  if (there) return there;
  const value = make();
  known.set(name, value);
  return value;
}
