import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openDataset, writeNpz } from '../data/index.ts';
import { renderSplit } from '../data/traffic-signs/render.ts';
import { gather } from './gather.ts';
import { centreOf, openMaterial, splitOff } from './material.ts';

const folder = mkdtempSync(join(tmpdir(), 'glacis-material-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const table = async (name: string, x: Float32Array, y: Int32Array) => {
  const path = join(folder, name);
  await writeNpz(path, {
    x: { data: x, shape: [y.length, x.length / y.length] },
    y: { data: y, shape: [y.length] },
  });
  return path;
};

describe('material', () => {
  it('keeps pixels as bytes: those of the bundled pictures, which have a name', async () => {
    const { samples, shape, n, bounds, isRanged, classNames } = await openMaterial(
      'traffic-signs:test:5:3',
      {},
    );
    const { x, y } = renderSplit({ seed: 3, split: 'test', n: 5 });
    expect([shape, n, bounds, isRanged, classNames!.length]).toEqual([[3, 32, 32], 5, [0, 1], true, 16]);
    expect(Buffer.from(samples.x as Uint8Array).equals(x)).toBe(true);
    expect(Array.from(samples.y)).toEqual(Array.from(y));
    await expect(openDataset('traffic-signs:tset')).rejects.toMatchObject({ code: 'option/invalid' });
  });

  it('takes other numbers as they are, also where the first ones could be bytes', async () => {
    const x = Float32Array.from({ length: 4000 }, (_, i) => (i < 3500 ? i % 2 : i / 7));
    const { samples, bounds, isRanged } = await openMaterial(
      await table(
        't.npz',
        x,
        new Int32Array(2000).map((_, i) => i % 2),
      ),
      {},
    );
    expect(samples.x).toEqual(x);
    expect([isRanged, bounds[0], bounds[1]]).toEqual([false, 0, Math.fround(3999 / 7)]);
  });

  it('splits off a share that depends on the seed, and leaves no sample on both sides', async () => {
    const x = Float32Array.from({ length: 100 }, (_, i) => i + 0.5);
    const all = await openMaterial(
      await table(
        's.npz',
        x,
        new Int32Array(100).map((_, i) => i % 3),
      ),
      {},
    );
    const { training, validation } = splitOff(all, 0.2, 7);
    expect([training.n, validation.n]).toEqual([80, 20]);
    expect(new Set([...training.samples.x, ...validation.samples.x]).size).toBe(100);
    for (const part of [training, validation])
      for (let i = 0; i < part.n; i++) expect(part.samples.y[i]).toBe(Math.floor(part.samples.x[i]!) % 3);
    expect(splitOff(all, 0.2, 7).validation.samples).toEqual(validation.samples);
    expect(splitOff(all, 0.2, 8).validation.samples).not.toEqual(validation.samples);
    expect(() => splitOff(all, 0.001, 7)).toThrow(/leaves samples on both sides/);
  });

  it('finds mean and deviation of each feature, and leaves one that never changes', async () => {
    const x = Float32Array.from({ length: 30 }, (_, i) => (i % 3 === 0 ? 5 : i % 3 === 1 ? i : i % 2));
    const { mean, std } = centreOf(
      await openMaterial(
        await table(
          'c.npz',
          x,
          new Int32Array(10).map((_, i) => i % 2),
        ),
        {},
      ),
    );
    expect([mean[0], std[0]]).toEqual([5, 1]);
    // 1, 4, …, 28: mean 14.5, variance 9 · 99 / 12.
    expect(mean[1]).toBeCloseTo(14.5, 9);
    expect(std[1]).toBeCloseTo(Math.sqrt((9 * 99) / 12), 9);
  });
});

describe('gather', () => {
  it('holds a tenth back where that is enough to measure on, and takes no share beside other data', async () => {
    const make = (n: number) =>
      table(
        `${n}.npz`,
        Float32Array.from({ length: n }, (_, i) => i + 0.5),
        new Int32Array(n).map((_, i) => i % 2),
      );
    const [small, large] = [await make(50), await make(200)];
    const of = (data: string, more = {}) => gather({ data, seed: 1, reading: {}, ...more });
    expect((await of(small)).validation).toBeUndefined();
    expect(await of(large)).toMatchObject({
      validation: { n: 20 },
      validationRecord: { share: 0.1, n: 20 },
      data: { n: 180 },
    });
    expect(await of(large, { validation: small })).toMatchObject({
      training: { n: 200 },
      validation: { n: 50 },
    });
    await expect(of(large, { validation: small, share: 0.1 })).rejects.toThrow(/got both/);
  });
});
