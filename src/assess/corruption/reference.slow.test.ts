import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startEngine } from '../../runtime/engine.ts';
import { load } from '../load.ts';
import { planCorruptions } from './plan.ts';
import type { CorruptionResult } from './result.ts';
import { corruptionRecord, runCorruptions } from './run.ts';
import { corruptionResult } from './summarise.ts';

const SHARED = process.env.GLACIS_SHARED ?? '../shared';
const MNIST = join(SHARED, 'data/mnist/t10k');

async function measured(model: string, data: string, n: number): Promise<CorruptionResult> {
  const engine = startEngine({});
  const loaded = await load(engine, { model: join(SHARED, 'models', `${model}.onnx`), data, n });
  try {
    const plan = planCorruptions(loaded.subject.sampleDims, loaded.bounds, { uniform: [], gaussian: [] });
    const record = corruptionRecord(plan, n);
    expect(await runCorruptions(loaded, plan, record, { seed: 0 })).toBe(true);
    return corruptionResult(plan, record)!;
  } finally {
    await loaded.close();
    await engine.close();
  }
}

/** Mean error over corruptions at each severity. */
function bySeverity({ severities, corruptions }: CorruptionResult): readonly number[] {
  return severities.map((_, s) => corruptions.reduce((sum, c) => sum + c.errors[s]!, 0) / corruptions.length);
}

describe.skipIf(!existsSync(join(SHARED, 'models')))('on trained models', () => {
  it('errors on CIFAR-10 are those of the published programs', async () => {
    const result = await measured('cifar10-resnet14', join(SHARED, 'data/cifar10/test.npz'), 300);
    // The same model on the same 300 pictures, corrupted by the published formulas with NumPy 1.26, SciPy, scikit-image 0.21,
    // OpenCV 4.11 and Pillow 13, the photographs of frost included; other random draws. Mean error over severities in %.
    const published = {
      'gaussian-noise': 33.7,
      'shot-noise': 29.9,
      'impulse-noise': 40.1,
      'defocus-blur': 26.8,
      'glass-blur': 41.6,
      'motion-blur': 35.0,
      'zoom-blur': 31.9,
      snow: 29.1,
      frost: 28.4,
      fog: 29.5,
      brightness: 17.9,
      contrast: 44.8,
      'elastic-transform': 27.0,
      pixelate: 30.0,
      'jpeg-compression': 20.8,
    };
    const ours = Object.fromEntries(result.corruptions.map((c) => [c.corruption, 100 * c.meanError]));
    expect(Object.keys(ours)).toEqual(Object.keys(published));
    for (const [id, error] of Object.entries(published))
      expect(Math.abs(ours[id]! - error), id).toBeLessThan(3);
    expect(100 * result.meanCorruptionError!).toBeCloseTo(31.1, 0);
    const rising = bySeverity(result);
    expect(rising).toEqual(rising.toSorted((a, b) => a - b));
  });

  it('errors on MNIST rise with severity', async () => {
    const data = `${MNIST}-images-idx3-ubyte.gz,${MNIST}-labels-idx1-ubyte.gz`;
    const rising = bySeverity(await measured('mnist-cnn', data, 100));
    expect(rising).toEqual(rising.toSorted((a, b) => a - b));
    expect(rising[4]!).toBeGreaterThan(2 * rising[0]!);
  });
});
