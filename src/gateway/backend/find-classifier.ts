import { isFloatDatatype } from '../../oip/datatype.ts';
import { floatsOf } from '../../oip/tensor.ts';
import type { Classifier } from '../served-model.ts';
import type { Port } from './ports.ts';
import type { Probed } from './probe.ts';

/** What the configuration says about a classifier. */
export interface ClassifierChoice {
  readonly input?: string | undefined;
  readonly output?: string | undefined;
  readonly gives?: Classifier['gives'] | undefined;
}

/** The output that could hold scores, of those that a model has: the one that is chosen, or the only float one. */
export function scoreOutput(outputs: readonly Port[], chosen: string | undefined): Port | undefined {
  if (chosen !== undefined) return outputs.find(({ name }) => name === chosen);
  const floats = outputs.filter(({ datatype }) => isFloatDatatype(datatype));
  return floats.length === 1 ? floats[0] : undefined;
}

/**
 * How a model classifies, if it does: one float input of a known shape, and scores `[n, classes]` of at least two classes. The scores are probabilities where each row
 * of a run lies in [0, 1] and sums to one, whatever the graph's last operator is called; otherwise logits.
 */
export function findClassifier(
  inputs: readonly Port[],
  outputs: readonly Port[],
  probed: Probed,
  choice: ClassifierChoice,
): Classifier | undefined {
  const floats = inputs.filter(({ datatype }) => isFloatDatatype(datatype));
  const input =
    choice.input === undefined
      ? floats.length === 1
        ? floats[0]
        : undefined
      : floats.find(({ name }) => name === choice.input);
  const output = scoreOutput(outputs, choice.output);
  const seen = output && probed.outputs?.get(output.name);
  if (!input || !seen || !probed.rowed || !isFloatDatatype(seen.datatype)) return undefined;
  const sampleDims = input.shape.slice(1);
  const classes = seen.shape[1];
  if (sampleDims.some((size) => size < 1) || seen.shape.length !== 2 || classes === undefined || classes < 2)
    return undefined;
  const scores = floatsOf(seen);
  const gives = choice.gives ?? (areProbabilities(scores, classes) ? 'probabilities' : 'logits');
  return { input: input.name, sampleDims, output: output.name, classes, gives };
}

/** Rows of probabilities, up to the rounding of 16-bit floats. */
export function areProbabilities(scores: Float32Array, classes: number): boolean {
  for (let at = 0; at < scores.length; at += classes) {
    let sum = 0;
    for (let i = at; i < at + classes; i++) {
      const score = scores[i]!;
      if (!(score >= 0 && score <= 1.001)) return false;
      sum += score;
    }
    if (!(Math.abs(sum - 1) < 0.005)) return false;
  }
  return true;
}
