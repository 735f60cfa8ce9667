import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { adaptDataset } from './adapt.ts';
import { openDataset } from './open.ts';

const data = (name: string) => join(process.env.GLACIS_SHARED ?? '../shared', 'data', name);
const present = ['mnist', 'cifar10', 'tabular'].every((name) => existsSync(data(name)));

describe.skipIf(!present)(`real data (needs GLACIS_SHARED)`, () => {
  const input = (...dims: (number | string)[]) => ({
    name: 'input',
    dims: ['batch', ...dims],
    dtype: 'float32',
  });

  it('reads MNIST as the model takes it', async () => {
    const set = await openDataset(
      `${data('mnist/t10k-images-idx3-ubyte.gz')},${data('mnist/t10k-labels-idx1-ubyte.gz')}`,
    );
    expect(set).toMatchObject({ n: 10000, sampleShape: [28, 28], dtype: 'uint8' });
    // The label counts of the original test set.
    const counts = new Array(10).fill(0);
    for (const label of set.labels!) counts[label]++;
    expect(counts).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    const fitted = await adaptDataset(set, input(1, 28, 28), { n: 1000 });
    const { x: pixels } = await fitted.read(0, 1000);
    const raw = (await set.read(0, 1000)) as Uint8Array;
    expect(pixels.every((value, i) => value === Math.fround(raw[i]! / 255))).toBe(true);
    expect(Array.from(fitted.labels!.slice(0, 5))).toEqual([7, 2, 1, 0, 4]);
    await set.close();
  });

  it('reads CIFAR-10 channels-last and moves them first', async () => {
    const set = await openDataset(data('cifar10/test.npz'));
    expect(set).toMatchObject({ n: 2000, sampleShape: [32, 32, 3], dtype: 'uint8' });
    const fitted = await adaptDataset(set, input(3, 32, 32));
    expect(fitted.notes).toContain('channel axis moved from last to first');
    const { x: pixels } = await fitted.read(7, 1);
    const raw = (await set.read(7, 1)) as Uint8Array;
    for (const [row, column, channel] of [
      [0, 0, 0],
      [3, 31, 1],
      [31, 5, 2],
    ] as const) {
      expect(pixels[(channel * 32 + row) * 32 + column]).toBe(
        Math.fround(raw[(row * 32 + column) * 3 + channel]! / 255),
      );
    }
    await expect(adaptDataset(set, input(1, 28, 28))).rejects.toMatchObject({ code: 'data/mismatch' });
    await set.close();
  });

  it.each([
    ['breast-cancer.csv', 569, 30, [212, 357]],
    ['wine.csv', 178, 13, [59, 71, 48]],
  ] as const)('reads the classes of %s', async (name, n, width, counts) => {
    const set = await openDataset(data(`tabular/${name}`));
    expect(set).toMatchObject({ n, sampleShape: [width] });
    const seen = counts.map((_, k) => (set.labels as Int32Array).filter((label) => label === k).length);
    expect(seen).toEqual([...counts]);
    expect((await adaptDataset(set, input(width))).n).toBe(n);
  });

  it('reads regression targets of diabetes.csv', async () => {
    const set = await openDataset(data('tabular/diabetes.csv'));
    expect(set.labels).toBeInstanceOf(Float32Array);
    expect([set.n, set.labels![0]]).toEqual([442, 151]);
  });
});
