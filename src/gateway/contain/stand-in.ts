import { GlacisError } from '../../core/error.ts';
import { floatTensor, isFloatDatatype, type Tensor } from '../../oip/index.ts';
import { elementCount } from '../../onnx/tensor.ts';
import type { GuardedInput } from '../guard.ts';
import type { Scores } from '../output-guard.ts';
import { Refused } from '../refusal.ts';
import { asProbabilities } from '../respond/probabilities.ts';
import type { Classifier, RunOptions, ServedModel } from '../served-model.ts';
import type { StandInAnswer } from '../stand-in-answer.ts';
import { inputFor, scoresFrom, suited } from '../verify/second-model.ts';

/** Asks the second model for an answer that looks like the first one's. Errors: `Refused` `unavailable`: the first one does not answer in its place. */
export type StandIn = (call: GuardedInput, options: RunOptions) => Promise<StandInAnswer>;

/**
 * A model that answers in place of another. Names, types and shapes stay those of the first one's metadata; scores become logits or probabilities, as the first one gives
 * them. Errors: `option/invalid` where the second cannot give what the first one's metadata promises.
 */
export function standInFor(first: ServedModel, second: ServedModel): StandIn {
  const [one, two] = suited(first, second);
  const wrong = outputsMissing(first, second, one, two);
  if (wrong.length > 0)
    throw new GlacisError(
      'option/invalid',
      `verify: expected ${second.name} to have the outputs ${wrong.join(', ')} of ${first.name}`,
    );
  const { name, version, digest } = second;
  return async (call, options) => {
    try {
      const said = await second.run([inputFor(call, second, two)], { ...options, features: false });
      const scores = scoresFrom(said.outputs, two, call.n);
      const outputs = first.metadata.outputs.map((wanted) =>
        wanted.name === one.output
          ? scoresAs(wanted, one, likened(scores, one.gives))
          : said.outputs.find((output) => output.name === wanted.name)!,
      );
      return { outputs, by: { name, version, digest } };
    } catch (thrown) {
      if (thrown instanceof Refused && thrown.refusal === 'late') throw thrown;
      throw new Refused('unavailable', `${name}, which answers in place of ${first.name}, did not answer`, {
        cause: thrown,
      });
    }
  };
}

/** Outputs of the first model that the second has no tensor for. */
function outputsMissing(
  first: ServedModel,
  second: ServedModel,
  one: Classifier,
  two: Classifier,
): readonly string[] {
  return first.metadata.outputs
    .filter(({ name, datatype, shape }) => {
      if (name === one.output) return !isFloatDatatype(datatype as Tensor['datatype']);
      const other = second.metadata.outputs.find((each) => each.name === name);
      return (
        other === undefined ||
        other.name === two.output ||
        other.datatype !== datatype ||
        other.shape.slice(1).join() !== shape.slice(1).join()
      );
    })
    .map(({ name }) => name);
}

function likened(scores: Scores, gives: Classifier['gives']): Float32Array {
  if (scores.gives === gives) return scores.values;
  if (gives === 'probabilities') return asProbabilities(scores).values;
  // softmax(log p) = p: the logarithms are logits of the same probabilities. A class that cannot be has −∞.
  return scores.values.map((p) => (p > 0 ? Math.log(p) : Number.NEGATIVE_INFINITY));
}

function scoresAs(
  { name, datatype, shape }: ServedModel['metadata']['outputs'][number],
  { classes }: Classifier,
  values: Float32Array,
): Tensor {
  const n = values.length / classes;
  const dims = shape.map((size, axis) => (axis === 0 ? n : size));
  const fits = elementCount(dims) === values.length;
  return floatTensor(name, datatype as 'FP32', fits ? dims : [n, classes], values);
}
