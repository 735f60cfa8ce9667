import type { Model } from '../onnx/model.ts';

/** At which inputs an operator takes something that is learned. */
const LEARNED: Readonly<Record<string, readonly number[]>> = {
  Add: [0, 1],
  BatchNormalization: [1, 2],
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  GRU: [1, 2, 3],
  Gemm: [1, 2],
  GroupNormalization: [1, 2],
  InstanceNormalization: [1, 2],
  LSTM: [1, 2, 3, 7],
  LayerNormalization: [1, 2],
  MatMul: [0, 1],
  PRelu: [1],
  RNN: [1, 2, 3],
  RMSNormalization: [1],
};

/**
 * Names of the initializers that training should change, in the model's order: floating-point weights, biases, scales and
 * shifts of the layers that have them. Left out: scalars and what else is a constant of the architecture, such as a
 * normalisation of the input (`Sub`, `Div`, `Mul`) and running statistics.
 */
export function trainableParameters(model: Model): readonly string[] {
  const learned = new Set<string>();
  for (const node of model.graph.nodes) {
    if (node.domain !== '') continue;
    for (const i of LEARNED[node.op] ?? []) {
      const name = node.inputs[i];
      if (name) learned.add(name);
    }
  }
  return [...model.graph.initializers]
    .filter(
      ([name, { dtype, dims }]) =>
        learned.has(name) && (dtype === 'float32' || dtype === 'float64') && dims.length > 0,
    )
    .map(([name]) => name);
}
