import { GlacisError } from '../core/error.ts';
import type { Model, Node } from '../onnx/model.ts';
import { float32Tensor, type Tensor } from '../onnx/tensor.ts';

/** Name of the new input: values before normalisation. */
export const PIXELS = 'glacis_pixels';

/**
 * The model with `(v − mean) / std` in front of its input `name`: it takes values as they are before normalisation, under
 * the name {@link PIXELS}. `mean` and `std` hold one number, or one for each channel of `sampleDims` (first or last axis).
 * Errors: `option/invalid` when their count fits no channel axis.
 */
export function normaliseInput(
  model: Model,
  name: string,
  sampleDims: readonly number[],
  mean: readonly number[],
  std: readonly number[],
): Model {
  const constant = (values: readonly number[], what: string): Tensor =>
    float32Tensor(channelDims(values.length, sampleDims, what), values);
  const nodes: readonly Node[] = [
    step('Sub', [PIXELS, 'glacis_mean'], 'glacis_centred'),
    step('Div', ['glacis_centred', 'glacis_std'], name),
  ];
  return {
    ...model,
    graph: {
      ...model.graph,
      inputs: model.graph.inputs.map((i) => (i.name === name ? { ...i, name: PIXELS } : i)),
      initializers: new Map([
        ...model.graph.initializers,
        ['glacis_mean', constant(mean, 'mean')],
        ['glacis_std', constant(std, 'std')],
      ]),
      nodes: [...nodes, ...model.graph.nodes],
    },
  };
}

function step(op: string, inputs: readonly string[], output: string): Node {
  return { op, domain: '', name: output, inputs, outputs: [output], attributes: new Map() };
}

function channelDims(count: number, sampleDims: readonly number[], what: string): number[] {
  if (count === 1) return [];
  if (sampleDims[0] === count) return [count, ...sampleDims.slice(1).map(() => 1)];
  if (sampleDims.at(-1) === count) return [count];
  throw new GlacisError(
    'option/invalid',
    `--${what}: expected one number, or one for each channel of [${sampleDims.join(', ')}], got ${count}`,
  );
}
