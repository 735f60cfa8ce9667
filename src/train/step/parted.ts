import { GraphBuilder, type Value } from '../../onnx/graph-builder.ts';
import type { Model } from '../../onnx/model.ts';
import { inLayout } from '../../runtime/layout.ts';
import { opsOn } from '../../transform/ops.ts';
import { writeLesson } from './lesson.ts';
import { measuresOf, type StepOptions, type TrainingStep } from './step.ts';
import { clockInputs, writeUpdate } from './update.ts';

/** A training step as two models: gradients of a part of the batch, and the update by the sum of all parts' gradients. */
export interface PartedStep {
  /** Samples in a part. */
  readonly rows: number;
  readonly gradient: Model;
  /** Inputs of `gradient`, named as in the whole step. Weights and gradients are in the order of the step's weights. */
  readonly weights: readonly string[];
  readonly gradients: readonly string[];
  readonly measures: TrainingStep['measures'];
  /** Takes and gives what is carried under the names of the whole step. */
  readonly update: Model;
  /** Inputs of `update` for the gradients: for each part, in the order of the step's weights. */
  readonly parts: readonly (readonly string[])[];
}

/** The parted form of `whole`, which was built from the same model and options; `parts` must divide the batch. */
export function buildPartedStep(
  model: Model,
  whole: TrainingStep,
  options: StepOptions,
  parts: number,
): PartedStep {
  const rows = options.batch / parts;
  const lesson = writeLesson(model, { ...options, rows });
  const results = new Map<string, Value>();
  const give = (hint: string, value: Value): string => {
    const name = lesson.b.builder.freshName(hint);
    results.set(name, value);
    return name;
  };
  const measures = measuresOf(lesson, give);
  const gradients = lesson.weights.map(({ name }, i) => give(`${name}/gradient`, lesson.gradients[i]!));
  return {
    rows,
    gradient: inLayout(
      lesson.b.builder,
      Object.fromEntries(results),
      options.block ?? 0,
      'gradients of a part',
    ),
    weights: lesson.weights.map(({ value }) => value.name),
    gradients,
    measures,
    ...updateOf(whole, options, parts),
  };
}

function updateOf(
  whole: TrainingStep,
  options: StepOptions,
  parts: number,
): Pick<PartedStep, 'update' | 'parts'> {
  const b = opsOn(new GraphBuilder());
  const clock = clockInputs(b);
  const weights = whole.carried
    .filter(({ role }) => role === 'weight')
    .map(({ name, dims, input }) => ({ name, value: b.builder.input(input, 'float32', dims) }));
  const gradients = Array.from({ length: parts }, (_, part) =>
    weights.map(({ name, value }) => b.builder.input(`${name}/gradient/${part}`, 'float32', value.dims)),
  );
  const sums = weights.map((_, i) =>
    gradients.map((part) => part[i]!).reduce((total, part) => b.add(total, part)),
  );
  const moved = writeUpdate(b, weights, sums, options, clock);
  const outputs = new Map<string, Value>();
  const outputOf = (input: string) => whole.carried.find((each) => each.input === input)!.output;
  for (const { weight, slots } of moved)
    for (const { before, after } of [weight, ...slots]) outputs.set(outputOf(before.name), after);
  return {
    update: b.builder.build(Object.fromEntries(outputs), { name: 'update' }),
    parts: gradients.map((part) => part.map((value) => value.name)),
  };
}
