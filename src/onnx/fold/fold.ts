import { attributesOf } from '../attributes.ts';
import type { Node } from '../model.ts';
import { inferNode } from '../shape/infer.ts';
import type { Facts } from '../shape/rule.ts';
import { elementCount, type Tensor } from '../tensor.ts';
import { CAST_FOLDS } from './cast.ts';
import { ELEMENTWISE_FOLDS } from './elementwise.ts';
import { GATHER_SCATTER_FOLDS } from './gather-scatter.ts';
import { MAKE_FOLDS } from './make.ts';
import { MATMUL_FOLDS } from './matmul.ts';
import { MOVE_FOLDS } from './move.ts';
import { REDUCE_FOLDS } from './reduce.ts';
import { type FoldRule, MAX_OUTPUT } from './rule.ts';
import { foldShapeOf } from './shape-of.ts';

/** Folding rules by operator of the standard domain. */
export const FOLD_RULES: ReadonlyMap<string, FoldRule> = new Map(
  Object.entries({
    ...CAST_FOLDS,
    ...ELEMENTWISE_FOLDS,
    ...GATHER_SCATTER_FOLDS,
    ...MAKE_FOLDS,
    ...MATMUL_FOLDS,
    ...MOVE_FOLDS,
    ...REDUCE_FOLDS,
  }),
);

/** More input elements than this are not read at build time. */
const MAX_INPUT = 1 << 20;

const fixedDims = (facts: Facts | undefined): readonly number[] | undefined =>
  facts?.dims?.every((d) => typeof d === 'number') ? (facts.dims as readonly number[]) : undefined;

/**
 * Computes a node whose inputs are all constants, or gives `undefined` where Glacis leaves that to the runtime: operators
 * without a rule, more than 2^16 result elements, and cases on which runtimes differ (division of integers by zero).
 * Exact for integers, which wrap around as in C; floats are computed in float64 and rounded to the output's type.
 * Errors: `model/invalid` when the inputs contradict the operator.
 */
export function foldNode(
  node: Node,
  inputs: readonly (Tensor | undefined)[],
  opset: number,
  outputs: number,
): readonly Tensor[] | undefined {
  if (node.domain !== '') return undefined;
  const measured = inputs[0] && foldShapeOf(node, inputs[0].dims);
  if (measured) return [measured];
  const rule = FOLD_RULES.get(node.op);
  if (!rule) return undefined;
  const limit = node.op === 'Constant' ? Number.POSITIVE_INFINITY : MAX_OUTPUT;
  let read = 0;
  for (const t of inputs) {
    if (t?.external) return undefined;
    read += t ? elementCount(t.dims) : 0;
  }
  if (read > MAX_INPUT) return undefined;
  const named: Node = { ...node, outputs: new Array<string>(outputs).fill('?') };
  const facts = inputs.map((t) => t && { dtype: t.dtype, dims: t.dims, data: t });
  const types = inferNode(named, facts, opset);
  const outs = types?.map(fixedDims) ?? [];
  if (outs.some((dims) => dims && elementCount(dims) > limit)) return undefined;
  const results = rule({
    node: named,
    attrs: attributesOf(node),
    inputs: facts,
    opset,
    data: inputs,
    dims: outs[0],
    outs,
  });
  if (!results || results.length < outputs) return undefined;
  return results.slice(0, outputs);
}
