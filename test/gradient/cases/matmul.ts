import { float } from '../../../src/onnx/attributes.ts';
import type { GradientCase } from '../check-gradient.ts';

const matMul = (
  a: readonly number[],
  b: readonly number[],
  perSample: readonly number[] = [],
): GradientCase => ({
  op: 'MatMul',
  inputs: [{ dims: a }, { dims: b }],
  perSample,
  kind: 'linear',
});
const gemm = (
  transA: 0 | 1,
  transB: 0 | 1,
  c: readonly number[] | null,
  perSample: readonly number[],
): GradientCase => ({
  op: 'Gemm',
  inputs: [
    { dims: transA ? [4, 3] : [3, 4] },
    { dims: transB ? [2, 4] : [4, 2] },
    ...(c ? [{ dims: c }] : []),
  ],
  attributes: { transA, transB, ...(transB ? { alpha: float(2), beta: float(3) } : {}) },
  perSample,
  kind: 'linear',
});
const einsum = (
  equation: string,
  shapes: readonly (readonly number[])[],
  perSample: readonly number[] = [],
): GradientCase => ({
  op: 'Einsum',
  inputs: shapes.map((dims) => ({ dims })),
  attributes: { equation },
  title: equation,
  perSample,
  kind: 'linear',
});

export const CASES: readonly GradientCase[] = [
  matMul([3, 4], [4, 2], [1]),
  matMul([4], [4]),
  matMul([4], [4, 2]),
  matMul([3, 4], [4], [1]),
  matMul([2, 3, 4], [4], [1]),
  matMul([4], [2, 4, 3]),
  matMul([2, 3, 4], [4, 2], [1]),
  matMul([2, 2, 3, 4], [4, 2], [1]),
  matMul([3, 4], [2, 4, 2], [0]),
  matMul([2, 3, 4], [2, 4, 2]),
  matMul([2, 1, 3, 4], [5, 4, 2], [1]),
  matMul([1, 3, 4], [2, 4, 2], [0]),
  matMul([2, 3, 4], [1, 4, 2], [1]),
  matMul([0, 4], [4, 2]),
  matMul([2, 0], [0, 3]),
  gemm(0, 0, [2], [1, 2]),
  gemm(0, 1, [3, 2], [1]),
  gemm(1, 0, [], [1]),
  gemm(1, 1, [3, 1], [1]),
  gemm(0, 0, null, []),
  einsum(
    'ij,jk->ik',
    [
      [2, 3],
      [3, 4],
    ],
    [1],
  ),
  einsum('bij,bjk->bik', [
    [2, 3, 2],
    [2, 2, 4],
  ]),
  einsum(
    'bi,oi->bo',
    [
      [3, 2],
      [4, 2],
    ],
    [1],
  ),
  einsum('...ij,...jk', [
    [2, 1, 2, 3],
    [1, 4, 3, 2],
  ]),
  einsum('...i,i', [[2, 3], [3]]),
  einsum('bhid,bhjd->bhij', [
    [2, 1, 3, 2],
    [2, 2, 2, 2],
  ]),
  einsum('ij->i', [[2, 3]]),
  einsum('ij->', [[2, 3]]),
  einsum('ij->ji', [[2, 3]]),
  einsum('ij,k->k', [[2, 3], [4]]),
  einsum('i,j->ij', [[2], [3]]),
  einsum('i,i->', [[3], [3]]),
  einsum('ii->i', [[3, 3]]),
  einsum('ii->', [[3, 3]]),
  einsum('iij,jk->ik', [
    [2, 2, 3],
    [3, 2],
  ]),
  einsum(
    'bi,ij,bj->b',
    [
      [2, 3],
      [3, 2],
      [2, 2],
    ],
    [1],
  ),
];
