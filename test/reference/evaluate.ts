import { attributesOf } from '../../src/onnx/attributes.ts';
import type { Model } from '../../src/onnx/model.ts';
import { numbersOf } from '../../src/onnx/tensor.ts';
import { ELEMENTWISE } from './elementwise.ts';
import { MATMUL } from './matmul.ts';
import { NORMALISATION } from './normalisation.ts';
import { REDUCE } from './reduce.ts';
import { SCATTER } from './scatter.ts';
import { SHAPE } from './shape.ts';
import type { RefFamily, RefTensor } from './tensor.ts';
import { WINDOW } from './window.ts';

/** One line a family, A to Z. */
const FAMILIES: readonly RefFamily[] = [ELEMENTWISE, MATMUL, NORMALISATION, REDUCE, SCATTER, SHAPE, WINDOW];

const OPS: RefFamily = Object.assign({}, ...FAMILIES);

/** Whether the evaluator has every operator of `model`; of windows it has those with explicit pads. */
export function canEvaluate(model: Model): boolean {
  return model.graph.nodes.every((n) => n.domain === '' && n.op in OPS && !n.attributes.has('auto_pad'));
}

/**
 * Evaluates `model` in float64, node by node in plain loops, and gives every named value. It shares no code with the
 * gradient rules or the runtime, and is slow: for tiny shapes only.
 */
export function evaluate(model: Model, inputs: ReadonlyMap<string, RefTensor>): Map<string, RefTensor> {
  const values = new Map<string, RefTensor>(inputs);
  for (const [name, tensor] of model.graph.initializers) {
    values.set(name, {
      dims: tensor.dims,
      dtype: tensor.dtype,
      data: Float64Array.from(numbersOf(tensor)),
    });
  }
  for (const node of model.graph.nodes) {
    const op = node.domain === '' ? OPS[node.op] : undefined;
    if (!op) throw new Error(`no reference for ${node.domain}.${node.op}: add it under test/reference`);
    const given = node.inputs.map((name) => (name === '' ? null : values.get(name)!));
    const results = op({
      node,
      attrs: attributesOf(node),
      inputs: given,
      input: (i) => given[i]!,
      ints: (i) => (given[i] ? Array.from(given[i].data) : undefined),
    });
    for (const [i, name] of node.outputs.entries()) if (name !== '') values.set(name, results[i]!);
  }
  return values;
}
