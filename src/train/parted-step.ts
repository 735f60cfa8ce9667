import { GraphBuilder } from '../onnx/graph-builder.ts';
import type { Model } from '../onnx/model.ts';
import { inLayout } from '../runtime/layout.ts';
import { opsOn } from '../transform/ops.ts';
import { specialise } from '../transform/specialise.ts';
import { adam } from './adam.ts';
import { heldOrder, lossAndGradients, type StepOptions, type TrainingStep } from './step.ts';

/** A training step as two models: gradients of a part of the batch, and the update by the sum of all parts' gradients. */
export interface PartedStep {
  /** Samples in a part. */
  readonly rows: number;
  readonly gradient: Model;
  /** Names in `gradient`; weights and gradients in the order of the step's parameters. */
  readonly inputs: { readonly x: string; readonly labels: string; readonly weights: readonly string[] };
  readonly outputs: {
    readonly loss: string;
    readonly correct: string;
    readonly gradients: readonly string[];
  };
  /** Takes and gives weights and moments under the names of the whole step. */
  readonly update: Model;
  /** Inputs of `update` for the gradients: for each part, in the order of the step's parameters. */
  readonly parts: readonly (readonly string[])[];
}

/** The parted form of `whole`, which was built from the same model and options; `parts` must divide the batch. */
export function buildPartedStep(
  model: Model,
  whole: TrainingStep,
  { batch, parameters, adam: options, block = 0 }: StepOptions,
  parts: number,
): PartedStep {
  const rows = batch / parts;
  const trace = specialise(model, { batch: rows, parameters, parameterOrder: heldOrder });
  const share = lossAndGradients(trace, batch);
  const name = (hint: string) => trace.b.builder.freshName(hint);
  const outputs = {
    loss: name('loss'),
    correct: name('correct'),
    gradients: whole.parameters.map((p) => name(`${p.name}/gradient`)),
  };
  const gradients = Object.fromEntries(outputs.gradients.map((key, i) => [key, share.gradients[i]!]));
  const given = { [outputs.loss]: share.loss, [outputs.correct]: share.correct, ...gradients };
  return {
    rows,
    gradient: inLayout(trace.b.builder, given, block, 'gradients of a part'),
    inputs: {
      x: share.x.name,
      labels: share.labels.name,
      weights: [...trace.parameters.values()].map((weight) => weight.name),
    },
    outputs,
    ...updateOf(whole, options, parts),
  };
}

function updateOf(
  whole: TrainingStep,
  options: StepOptions['adam'],
  parts: number,
): Pick<PartedStep, 'update' | 'parts'> {
  const b = opsOn(new GraphBuilder());
  const input = (name: string, dims: readonly number[]) => b.builder.input(name, 'float32', dims);
  const step = b.builder.input(whole.inputs.step, 'int64', []);
  const rate = input(whole.inputs.rate, []);
  const states = whole.parameters.map(({ dims, inputs }) => ({
    weight: input(inputs.weight, dims),
    first: input(inputs.first, dims),
    second: input(inputs.second, dims),
  }));
  const gradients = Array.from({ length: parts }, (_, part) =>
    whole.parameters.map(({ name, dims }) => input(`${name}/gradient/${part}`, dims)),
  );
  const next = states.map((state, i) => {
    const sum = gradients.map((part) => part[i]!).reduce((total, part) => b.add(total, part));
    return adam(b, state, sum, step, rate, options);
  });
  const outputs = Object.fromEntries(
    whole.parameters.flatMap(({ outputs }, i) => [
      [outputs.weight, next[i]!.weight],
      [outputs.first, next[i]!.first],
      [outputs.second, next[i]!.second],
    ]),
  );
  return {
    update: b.builder.build(outputs, { name: 'update' }),
    parts: gradients.map((part) => part.map((value) => value.name)),
  };
}
