import type { BuiltNode } from '../onnx/graph-builder.ts';
import { elementCount } from '../onnx/tensor.ts';

/** What one run of a graph takes, as far as its shapes tell. */
export interface RunCost {
  /** Floating-point operations in convolutions and matrix products; a multiply-add counts as two. */
  readonly flops: number;
  /** Elements of all intermediate values. */
  readonly activations: number;
}

/** The cost of running `nodes` once, from their static shapes; values without one count as nothing. */
export function costOf(nodes: readonly BuiltNode[]): RunCost {
  let flops = 0;
  let activations = 0;
  for (const node of nodes) {
    for (const value of node.outputs) if (value.isStatic) activations += elementCount(value.dims);
    flops += flopsOf(node);
  }
  return { flops, activations };
}

function flopsOf({ node, inputs, outputs }: BuiltNode): number {
  const [a, b] = inputs;
  const out = outputs[0];
  if (!a?.isStatic || !b?.isStatic || !out?.isStatic) return 0;
  switch (node.op) {
    case 'Conv':
      return 2 * elementCount(out.dims) * elementCount(b.dims.slice(1));
    case 'ConvTranspose':
      return 2 * elementCount(a.dims) * elementCount(b.dims.slice(1));
    case 'MatMul':
    case 'FusedMatMul':
      return 2 * elementCount(out.dims) * (a.dims.at(-1) ?? 1);
    case 'Gemm': {
      const transposed = node.attributes.get('transA');
      return 2 * elementCount(out.dims) * (a.dims[transposed?.value === 1 ? 0 : 1] ?? 1);
    }
    default:
      return 0;
  }
}
