import { createHash } from 'node:crypto';
import { GlacisError } from '../../core/error.ts';
import { elementCount } from '../../onnx/tensor.ts';
import type { Dataset } from '../dataset.ts';
import { requireRows } from '../stored-array.ts';
import { renderSplit, SIGN_CLASSES, SIGN_SHAPE } from './render.ts';

/** Samples where the name gives no count. */
const USUAL = { train: 8_000, test: 1_000 } as const;

/** Whether `spec` names the bundled pictures of traffic signs: `traffic-signs:train`, `traffic-signs:test:512`, `traffic-signs:train:8000:7`. */
export function namesSigns(spec: string): boolean {
  return spec === 'traffic-signs' || spec.startsWith('traffic-signs:');
}

/**
 * The bundled pictures of traffic signs, rendered now: `traffic-signs:SPLIT[:COUNT[:SEED]]` with the split `train` or `test`, a count up to
 * 200,000 (8,000 and 1,000 unless given) and a seed (1 unless given). The digest is that of pixels and labels.
 * Cost: about 0.5 ms a picture. Errors: `option/invalid`.
 */
export function openSigns(spec: string): Dataset {
  const match = /^traffic-signs:(train|test)(?::(\d{1,7}))?(?::(\d{1,15}))?$/.exec(spec);
  const split = match?.[1] as 'train' | 'test' | undefined;
  const n = match?.[2] === undefined ? USUAL[split ?? 'train'] : Number(match[2]);
  if (!split || n < 1 || n > 200_000)
    throw new GlacisError(
      'option/invalid',
      `data: expected traffic-signs:train or traffic-signs:test, with a count from 1 to 200000 and a seed after colons where wanted, got '${spec}'`,
    );
  const seed = Number(match?.[3] ?? 1);
  const { x, y } = renderSplit({ seed, split, n });
  const size = elementCount(SIGN_SHAPE);
  return {
    n,
    sampleShape: SIGN_SHAPE,
    dtype: 'uint8',
    classes: SIGN_CLASSES.map(({ name }) => name),
    labels: Int32Array.from(y),
    digest: `sha256:${createHash('sha256').update(x).update(y).digest('hex')}`,
    describe: `${n} rendered pictures of traffic signs (${split} split, seed ${seed})`,
    notes: [],
    async read(start, count) {
      requireRows(start, count, n, spec);
      return x.slice(start * size, (start + count) * size);
    },
    close: async () => {},
  };
}
