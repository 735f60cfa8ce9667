import type { DType } from '../../onnx/dtype.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import type { Model } from '../../onnx/model.ts';
import { inLayout } from '../../runtime/layout.ts';
import { type Draw, type LessonOptions, type WrittenLesson, writeLesson } from './lesson.ts';
import { clockInputs, type UpdateRule, writeUpdate } from './update.ts';

/** An array that goes from step to step and stays with the session: an input takes what an output gave. */
export interface Carried {
  /** What it is: a weight, an array of the optimiser, a running statistic, or something an objective keeps. */
  readonly role: 'weight' | 'slot' | 'statistic' | 'kept';
  /** Name of the initializer that it belongs to; of a kept array its own. */
  readonly name: string;
  /** Which array of the optimiser. */
  readonly slot?: string;
  readonly dims: readonly number[];
  readonly input: string;
  readonly output: string;
}

/** A whole training step as one model. */
export interface TrainingStep {
  readonly model: Model;
  readonly batch: number;
  readonly inputs: {
    /** Samples `[batch, …]`. */
    readonly x: string;
    /** Attacked samples `[batch, …]`, where the objective leaves the attack to the trainer. */
    readonly attacked?: string | undefined;
    readonly targets: string;
    /** int64 scalar, from 1. */
    readonly step: string;
    /** Learning rate, float32 scalar. */
    readonly rate: string;
    /** Scalars that the objective's schedule sets, by their names there. */
    readonly settings: Readonly<Record<string, string>>;
  };
  /** Type and shape of the targets. */
  readonly targets: { readonly dtype: DType; readonly dims: readonly number[] };
  readonly draws: readonly Draw[];
  /** Outputs beside what is carried: mean loss (float32 scalar); how many of the batch were right, as they are and attacked (int64 scalars). */
  readonly measures: { readonly loss: string; readonly correct?: string; readonly robust?: string };
  readonly carried: readonly Carried[];
  /** Shape of one sample. */
  readonly sampleDims: readonly number[];
  /** Outputs of the network for one sample. */
  readonly outputs: number;
}

/** How {@link buildStep} writes the step. */
export interface StepOptions extends Omit<LessonOptions, 'rows'>, UpdateRule {
  /** Channels in a block of the runtime's layout for convolutions (see `runtime/layout.ts`). Default 0: none. */
  readonly block?: number;
}

/**
 * One step of training as one ONNX graph: forward (and, where the objective says so, an attack), loss, its gradient with respect to
 * the weights, and the optimiser's update. Weights and all else that goes from step to step go in and come out, so that the graph
 * holds no state and the model's file is never touched; a session keeps them (see `session.ts`).
 *
 * Errors: those of {@link writeLesson}.
 */
export function buildStep(model: Model, options: StepOptions): TrainingStep {
  const lesson = writeLesson(model, { ...options, rows: options.batch });
  const { b } = lesson;
  const clock = clockInputs(b);
  const moved = writeUpdate(b, lesson.weights, lesson.gradients, options, clock);
  const results = new Map<string, Value>();
  const give = (hint: string, value: Value): string => {
    const name = b.builder.freshName(hint);
    results.set(name, value);
    return name;
  };
  const carried: Carried[] = [];
  const carry = (
    what: Pick<Carried, 'role' | 'name' | 'slot'>,
    hint: string,
    { before, after }: { readonly before: Value; readonly after: Value },
  ) => {
    carried.push({ ...what, dims: before.dims, input: before.name, output: give(`${hint}/next`, after) });
  };
  for (const { name, weight, slots } of moved) {
    carry({ role: 'weight', name }, name, weight);
    for (const slot of slots) carry({ role: 'slot', name, slot: slot.name }, `${name}/${slot.name}`, slot);
  }
  for (const each of lesson.statistics) carry({ role: 'statistic', name: each.name }, each.name, each);
  for (const each of lesson.keeps) carry({ role: 'kept', name: each.name }, each.name, each);
  const measures = measuresOf(lesson, give);
  return {
    model: inLayout(b.builder, Object.fromEntries(results), options.block ?? 0, 'training step'),
    batch: options.batch,
    inputs: {
      x: lesson.x.name,
      attacked: lesson.attacked?.name,
      targets: lesson.targets.input,
      step: clock.step.name,
      rate: clock.rate.name,
      settings: lesson.settings,
    },
    targets: { dtype: lesson.targets.dtype, dims: lesson.targets.dims },
    draws: lesson.draws,
    measures,
    carried,
    sampleDims: lesson.x.dims.slice(1),
    outputs: lesson.outputs,
  };
}

/** Names the lesson's measures among the outputs. */
export function measuresOf(
  { measures: { loss, correct, robust } }: WrittenLesson,
  give: (hint: string, value: Value) => string,
): TrainingStep['measures'] {
  return {
    loss: give('loss', loss),
    ...(correct ? { correct: give('correct', correct) } : {}),
    ...(robust ? { robust: give('robust', robust) } : {}),
  };
}
