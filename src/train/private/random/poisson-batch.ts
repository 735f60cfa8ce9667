import type { KeyStream } from './key-stream.ts';
import { uniformReader } from './uniforms.ts';

/** Samples that are decided about at a time. */
const AT_ONCE = 4096;

/**
 * The samples of a step: each of `n` is in with probability `rate`, independently of the others and of other steps. So batches vary in
 * size and may be empty. This, not shuffling, is what the accountants assume.
 */
export function poissonBatch(stream: KeyStream, step: number, n: number, rate: number): Int32Array {
  const read = uniformReader(stream, 'sampling', step);
  const uniforms = new Float64Array(AT_ONCE);
  const batch = new Int32Array(n);
  let size = 0;
  for (let from = 0; from < n; from += AT_ONCE) {
    const count = Math.min(AT_ONCE, n - from);
    read(uniforms.subarray(0, count));
    for (let i = 0; i < count; i++) if (uniforms[i]! < rate) batch[size++] = from + i;
  }
  return batch.slice(0, size);
}
