import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Material } from '../material.ts';
import { planPrivateTraining, usualDelta } from './private-training.ts';

const material = (n: number, more: Partial<Material> = {}): Material => ({
  samples: { x: new Float32Array(4 * n), y: Int32Array.from({ length: n }, (_, i) => i % 3) },
  ...{ n, shape: [4], width: 1, isReal: false, bounds: [0, 1], isRanged: true },
  ...{ digest: 'sha256:1', dataSet: 'sha256:1', description: '', notes: [] },
  ...more,
});

describe('planPrivateTraining', () => {
  it('has settings that depend on nothing but the number of samples', () => {
    const { options, config, outputs } = planPrivateTraining({ epsilon: 2 }, material(60_000), undefined);
    expect(options).toMatchObject({
      epsilon: 2,
      delta: 5e-6,
      batch: 600,
      epochs: 20,
      clip: 0.1,
      normalisation: 'refuse',
    });
    expect(config).toMatchObject({
      epsilon: 2,
      noise: null,
      logicalBatch: 600,
      seed: null,
      optimiser: { name: 'sgd' },
    });
    expect(outputs).toBe(3);
    const batchOf = (n: number) => planPrivateTraining({ noise: 1 }, material(n), undefined).options.batch;
    expect([30, 1000, 1e6].map(batchOf)).toEqual([30, 64, 2048]);
  });

  it('reads clipping as a norm or as something that adapts', () => {
    const clip = (text: string) =>
      planPrivateTraining({ noise: 1, clip: text }, material(9), undefined).options.clip;
    expect(clip('1e-1')).toBe(0.1);
    expect(clip('adaptive')).toEqual({});
    expect(clip('adaptive(start=2, quantile=0.4)')).toEqual({ start: 2, quantile: 0.4 });
    for (const text of ['', '-1', '1 2', 'e', 'adaptive(start=x)', 'adaptive(stat=1)'])
      expect(() => clip(text), text).toThrow();
  });

  it('learns as fast whatever the clipping norm', () => {
    const rate = (wishes: object) =>
      planPrivateTraining({ noise: 1, ...wishes }, material(9), undefined).config.learningRate;
    expect([rate({}), rate({ clip: '1' }), rate({ clip: 'adaptive(start=2)' })]).toEqual([0.8, 0.08, 0.04]);
    expect([rate({ optimiser: 'adam' }), rate({ learningRate: 3 })]).toEqual([2e-3, 3]);
  });

  it('measures on known samples only', () => {
    const known = material(9, { digest: 'sha256:2', dataSet: 'sha256:2' });
    expect(planPrivateTraining({ noise: 1 }, material(9), known).options.validation!.samples).toBe(
      known.samples,
    );
    expect(() => planPrivateTraining({ noise: 1 }, material(9), material(3))).toThrow(/got the private ones/);
  });
});

describe('usualDelta', () => {
  it('has one digit and lies below 1/n', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 1e9 }), (n) => {
        const delta = usualDelta(n);
        expect(delta).toBeLessThan(1 / n);
        expect(delta).toBeGreaterThan(n ** -1.1 / 2);
        expect(delta.toExponential()).toMatch(/^\de-\d+$/);
      }),
    );
  });
});
