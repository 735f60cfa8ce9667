import type { KeyStream } from './key-stream.ts';
import { uniformsOf } from './uniforms.ts';

/**
 * The samples of a step: each of `n` is in with probability `rate`, independently of the others and of other steps. So batches vary in
 * size and may be empty. This, not shuffling, is what the accountants assume.
 */
export function poissonBatch(stream: KeyStream, step: number, n: number, rate: number): Int32Array {
  const uniforms = uniformsOf(stream, 'sampling', step, n);
  const batch = new Int32Array(n);
  let size = 0;
  for (let i = 0; i < n; i++) if (uniforms[i]! < rate) batch[size++] = i;
  return batch.slice(0, size);
}
