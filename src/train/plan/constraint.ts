import { elementCount } from '../../onnx/tensor.ts';
import { checkClean } from '../../threat/constraint/clean-samples.ts';
import type { Constraint } from '../../threat/constraint.ts';
import type { Material } from '../material.ts';
import { copySample } from '../samples.ts';

/** Samples that are looked at together. */
const CHUNK = 1024;

/** Checks that all samples satisfy a constraint themselves, because attacks under it start from them. Errors: `data/mismatch`. */
export function checkMaterial(constraint: Constraint, { samples, n, shape }: Material): void {
  const size = elementCount(shape);
  for (let at = 0; at < n; at += CHUNK) {
    const count = Math.min(CHUNK, n - at);
    const rows = new Float32Array(count * size);
    for (let i = 0; i < count; i++) copySample(samples, at + i, rows, i, size);
    checkClean(constraint, rows, size, (row) => at + row);
  }
}
