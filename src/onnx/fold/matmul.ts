import { isFloat } from '../dtype.ts';
import { elementCount, numbersOf, tensorFrom } from '../tensor.ts';
import { broadcastIndices, integersOf, integerTensor } from './elements.ts';
import type { FoldRule } from './rule.ts';

/** More multiplications than this are left to the runtime. */
const MAX_PRODUCTS = 1 << 22;

/** `MatMul` with NumPy's rules for vectors and leading axes. */
const matmul: FoldRule = ({ data, dims }) => {
  const [x, y] = [data[0]!, data[1]!];
  if (!dims) return undefined;
  const a = x.dims.length === 1 ? [1, ...x.dims] : x.dims;
  const b = y.dims.length === 1 ? [...y.dims, 1] : y.dims;
  const [m, k, n] = [a.at(-2)!, a.at(-1)!, b.at(-1)!];
  const batch = dims.slice(0, dims.length - (x.dims.length > 1 ? 1 : 0) - (y.dims.length > 1 ? 1 : 0));
  const blocks = elementCount(batch);
  if (blocks * m * k * n > MAX_PRODUCTS) return undefined;
  const [ia, ib] = [broadcastIndices(a.slice(0, -2), batch), broadcastIndices(b.slice(0, -2), batch)];
  const product = <T extends number | bigint>(
    p: ArrayLike<T>,
    q: ArrayLike<T>,
    zero: T,
    step: (sum: T, u: T, v: T) => T,
  ): T[] => {
    const out: T[] = [];
    for (let s = 0; s < blocks; s++) {
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = zero;
          for (let l = 0; l < k; l++)
            sum = step(sum, p[(ia[s]! * m + i) * k + l]!, q[(ib[s]! * k + l) * n + j]!);
          out.push(sum);
        }
      }
    }
    return out;
  };
  if (isFloat(x.dtype))
    return [
      tensorFrom(
        x.dtype,
        dims,
        product(numbersOf(x), numbersOf(y), 0, (s, u, v) => s + u * v),
      ),
    ];
  const [p, q] = [integersOf(x), integersOf(y)];
  return (
    p &&
    q && [
      integerTensor(
        x.dtype,
        dims,
        product(p, q, 0n, (s, u, v) => s + u * v),
      ),
    ]
  );
};

/** Products of small matrices. */
export const MATMUL_FOLDS: Readonly<Record<string, FoldRule>> = { MatMul: matmul };
