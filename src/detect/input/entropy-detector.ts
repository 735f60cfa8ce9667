import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { defineDetector, type Watched } from '../detector.ts';
import { valueEntropy } from './value-entropy.ts';

const finite = z.number();
const kept = z.strictObject({ middle: finite, range: z.tuple([finite, finite]) });

type Kept = z.output<typeof kept>;

/**
 * How far the entropy of a sample's values ({@link valueEntropy}) is from the median of calm samples, in bits. It meets noise, blank and scrambled inputs before the model
 * runs. Cost: one pass.
 */
export const entropy = defineDetector<Kept>({
  id: 'entropy',
  needs: 'inputs',
  kept,
  fit({ n, x }, watched) {
    const range = watched.range ?? rangeOf(x);
    const size = sizeOf(watched);
    const all = Float64Array.from({ length: n }, (_, i) => valueEntropy(x, i * size, size, range)).sort();
    if (n === 0) throw new GlacisError('data/mismatch', 'entropy: expected calm samples, got none');
    return { middle: all[n >> 1]!, range: [range[0], range[1]] };
  },
  open({ middle, range }, watched) {
    const size = sizeOf(watched);
    if (!(range[0] < range[1]))
      throw new GlacisError('option/invalid', 'entropy: expected a range of values, got an empty one');
    return ({ n, x }) => {
      const scores = new Float64Array(n);
      for (let i = 0; i < n; i++) scores[i] = Math.abs(valueEntropy(x, i * size, size, range) - middle);
      return scores;
    };
  },
});

function sizeOf({ sampleDims }: Watched): number {
  return elementCount(sampleDims);
}

/** Least and greatest of finite values, apart by at least something. */
function rangeOf(x: Float32Array): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of x) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (!(low <= high)) return [0, 1];
  return low < high ? [low, high] : [low, low + 1];
}
