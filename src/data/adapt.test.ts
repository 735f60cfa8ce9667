import { describe, expect, it } from 'vitest';
import { type AdaptOptions, adaptDataset, type ModelInput } from './adapt.ts';
import type { Dataset } from './dataset.ts';
import type { ElementType, NumberArray } from './element-type.ts';

function dataset(
  values: NumberArray,
  shape: readonly number[],
  dtype: ElementType,
  more: Partial<Dataset> = {},
): Dataset {
  const size = shape.reduce((product, axis) => product * axis, 1);
  const n = values.length / size;
  return {
    n,
    sampleShape: shape,
    dtype,
    digest: 'sha256:0',
    describe: 'test',
    notes: ['how it was read'],
    read: async (start, count) => values.slice(start * size, (start + count) * size),
    close: async () => {},
    ...more,
  };
}
const input = (...dims: (number | string | null)[]): ModelInput => ({
  name: 'input',
  dims,
  dtype: 'float32',
});
const bytes = Uint8Array.from({ length: 6 * 4 }, (_, i) => (i * 11) % 256);
const images = dataset(bytes, [2, 2], 'uint8', { labels: Int32Array.of(5, 4, 3, 2, 1, 0) });
const adapt = (set: Dataset, model: ModelInput, options?: AdaptOptions) => adaptDataset(set, model, options);

describe('fitting data to a model', () => {
  it('scales 8-bit pixels to 0–1 and says so', async () => {
    const data = await adapt(images, input('batch', 1, 2, 2));
    expect(data.shape).toEqual([1, 2, 2]);
    expect(data.bounds).toEqual({ low: [0], high: [1] });
    expect(data.notes).toEqual([
      'how it was read',
      '8-bit pixels scaled from 0–255 to 0–1 (range 0,255 would keep them)',
      'channel axis of 1 added in front',
    ]);
    const { x, shape, labels } = await data.read(1, 2);
    expect(shape).toEqual([2, 1, 2, 2]);
    expect(x).toEqual(Float32Array.from(bytes.subarray(4, 12), (byte) => byte / 255));
    expect(labels).toEqual(Int32Array.of(4, 3));
  });

  it('scales to another range, or keeps 0–255', async () => {
    const centred = await adapt(images, input(null, 2, 2), { range: [-1, 1] });
    expect((await centred.read(0, 6)).x).toEqual(Float32Array.from(bytes, (byte) => -1 + (byte / 255) * 2));
    expect(centred.bounds).toEqual({ low: [-1], high: [1] });
    const kept = await adapt(images, input(null, 2, 2), { range: [0, 255] });
    expect((await kept.read(0, 6)).x).toEqual(Float32Array.from(bytes));
    const byteModel = await adapt(images, { ...input(null, 2, 2), dtype: 'uint8' });
    expect(byteModel.bounds).toEqual({ low: [0], high: [255] });
  });

  it('normalises by channel after scaling, with bounds to match', async () => {
    const rgb = dataset(Uint8Array.of(0, 51, 102, 153, 204, 255), [1, 1, 3], 'uint8');
    const data = await adapt(rgb, input('n', 3, 1, 1), { mean: [0, 0.2, 0.4], std: [1, 0.5, 2] });
    const expected = [0, 0, 0, 0.6, (0.8 - 0.2) / 0.5, (1 - 0.4) / 2];
    (await data.read(0, 2)).x.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 6);
    });
    expect(data.bounds).toEqual({
      low: [0, -0.4, -0.2].map(Math.fround),
      high: [1, 1.6, 0.3].map(Math.fround),
      channelAxis: 0,
    });
    // Channels last in the model.
    const pixels = dataset(await rgb.read(0, 2), [2, 1, 3], 'uint8');
    const last = await adapt(pixels, input('n', 2, 1, 3), { mean: [0, 0.2, 0.4], std: [1, 0.5, 2] });
    expect((await last.read(0, 1)).x).toEqual((await data.read(0, 2)).x);
    await expect(adapt(rgb, input('n', 3, 1, 1), { mean: [1, 2] })).rejects.toMatchObject({
      code: 'option/invalid',
    });
  });

  it('normalises each pixel by the channel it lies in', async () => {
    const rgb = dataset(
      Uint8Array.from({ length: 24 }, (_, i) => (i % 3) * 51),
      [2, 4, 3],
      'uint8',
      { layout: 'hwc' },
    );
    const data = await adapt(rgb, input(1, 3, 2, 4), { mean: [0, 0.2, 0.4], std: 2 });
    for (const value of (await data.read(0, 1)).x) expect(value).toBeCloseTo(0, 6);
    expect(data.fixedBatch).toBe(1);
  });

  it('takes tables as they are, without a range unless one is declared', async () => {
    const table = dataset(Float32Array.of(-5, 100, 3, 7), [2], 'float32');
    const free = await adapt(table, input('n', 2));
    expect(free.bounds).toBeUndefined();
    expect((await free.read(0, 2)).x).toEqual(Float32Array.of(-5, 100, 3, 7));
    const declared = await adapt(table, input('n', 2), { range: [-5, 100] });
    expect(declared.bounds).toEqual({ low: [-5], high: [100] });
  });

  it('takes whole numbers of every width as they are', async () => {
    const big = dataset(BigInt64Array.of(-5n, 100n), [1], 'int64');
    expect((await (await adapt(big, input('n', 1))).read(0, 2)).x).toEqual(Float32Array.of(-5, 100));
  });

  it('refuses values outside the range, naming what was seen and --range', async () => {
    const pixels = dataset(Float32Array.of(0, 255, 3, 7), [1, 2, 2], 'float32');
    const message = expect.stringMatching(/got 0 to 255.*--range 0,255/);
    await expect(adapt(pixels, input('n', 1, 2, 2))).rejects.toMatchObject({
      code: 'data/mismatch',
      message,
    });
    await expect(adapt(pixels, input('n', 1, 2, 2), { range: [0, 255] })).resolves.toBeDefined();
    const wide = dataset(Int32Array.of(0, 255, 3, 7), [1, 2, 2], 'int32');
    await expect(adapt(wide, input('n', 1, 2, 2))).rejects.toMatchObject({ code: 'data/mismatch', message });
    const table = dataset(Float32Array.of(0, 2), [1], 'float32');
    await expect(adapt(table, input('n', 1), { range: [0, 1] })).rejects.toMatchObject({
      code: 'data/mismatch',
    });
  });

  it('gives bounds that hold every value exactly', async () => {
    const all = dataset(
      Uint8Array.from({ length: 256 }, (_, i) => i),
      [1],
      'uint8',
    );
    for (const [low, high] of [
      [0, 0.3],
      [-0.1, 0.7],
      [-2.1179, 2.64],
      [1e-3, 1e3],
    ] as const) {
      for (const options of [{}, { mean: 0.485, std: 0.229 }]) {
        const data = await adapt(all, input('n', 1), { range: [low, high], ...options });
        const { x } = await data.read(0, 256);
        expect(Math.min(...x)).toBe(data.bounds!.low[0]);
        expect(Math.max(...x)).toBe(data.bounds!.high[0]);
      }
    }
  });

  it('suggests a range that holds the data', async () => {
    const images = dataset(Float32Array.of(-0.42421296, 2.8214867, 1, 0), [1, 2, 2], 'float32');
    const error = await adapt(images, input('n', 1, 2, 2)).catch((thrown: Error) => thrown);
    const [, low, high] = /--range ([-\d.]+),([-\d.]+)/.exec((error as Error).message)!;
    expect([low, high]).toEqual(['-0.42422', '2.8215']);
    await expect(
      adapt(images, input('n', 1, 2, 2), { range: [Number(low), Number(high)] }),
    ).resolves.toBeDefined();
  });

  it('checks samples beyond the first ones when they are read', async () => {
    const values = Float32Array.from({ length: 1200 }, (_, i) => (i % 10) / 10);
    values[1001] = 2;
    values[1111] = Number.NaN;
    const data = await adapt(dataset(values, [2], 'float32'), input('n', 2), { range: [0, 1] });
    await expect(data.read(500, 10)).rejects.toMatchObject({ code: 'data/mismatch' });
    const message = expect.stringContaining('sample 555 at position 1');
    await expect(data.read(550, 10)).rejects.toMatchObject({ code: 'data/not-finite', message });
  });

  it('names sample and position of the first value that is not finite', async () => {
    const table = dataset(Float32Array.of(1, 2, 3, Number.NEGATIVE_INFINITY), [2], 'float32');
    const message = expect.stringContaining('sample 1 at position 1');
    await expect(adapt(table, input('n', 2))).rejects.toMatchObject({ code: 'data/not-finite', message });
  });

  it('refuses a double that overflows float32', async () => {
    const table = dataset(Float64Array.of(1, 1e39), [1], 'float64');
    const data = adapt(table, input('n', 1)).then((adapted) => adapted.read(0, 2));
    await expect(data).rejects.toMatchObject({ code: 'data/not-finite' });
  });

  it('refuses data that do not vary', async () => {
    await expect(adapt(dataset(new Uint8Array(8), [4], 'uint8'), input('n', 4))).rejects.toMatchObject({
      code: 'data/mismatch',
      message: expect.stringContaining('got 0 for every value'),
    });
  });

  it('refuses a model that does not take numbers, or has no batch axis', async () => {
    await expect(adapt(images, { ...input('n', 2, 2), dtype: 'int64' })).rejects.toMatchObject({
      code: 'data/mismatch',
    });
    await expect(adapt(images, input())).rejects.toMatchObject({ code: 'data/mismatch' });
  });

  it.each([
    [{ range: [1, 0] }, 'option/invalid'],
    [{ range: [0, Number.NaN] }, 'option/invalid'],
    [{ std: 0 }, 'option/invalid'],
    [{ n: 0 }, 'option/invalid'],
    [{ n: 1.5 }, 'option/invalid'],
    [{ layout: 'hwc' }, 'option/invalid'],
    [{ scale: 2 }, 'option/unknown'],
  ])('refuses options %j', async (options, code) => {
    await expect(adapt(images, input('n', 2, 2), options as AdaptOptions)).rejects.toMatchObject({ code });
  });
});

describe('choosing samples', () => {
  const all = async (options: AdaptOptions, size: number) => {
    const data = await adapt(images, input('n', 2, 2), options);
    const seen: { x: number[]; labels: number[]; indices: number[] } = { x: [], labels: [], indices: [] };
    for await (const batch of data.batches(size)) {
      seen.x.push(...batch.x);
      seen.labels.push(...batch.labels!);
      seen.indices.push(...batch.indices);
    }
    return seen;
  };

  it('gives the same samples whatever the batch size', async () => {
    const whole = await all({ shuffle: 7 }, 6);
    expect(await all({ shuffle: 7 }, 1)).toEqual(whole);
    expect(await all({ shuffle: 7 }, 4)).toEqual(whole);
    expect([...whole.indices].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(whole.labels).toEqual(whole.indices.map((index) => 5 - index));
    expect(whole.x).toEqual(
      whole.indices.flatMap((index) =>
        [...bytes.subarray(4 * index, 4 * index + 4)].map((byte) => Math.fround(byte / 255)),
      ),
    );
  });

  it('depends on the seed, and fewer samples are the first of more', async () => {
    const seven = await all({ shuffle: 7 }, 6);
    expect((await all({ shuffle: 8 }, 6)).indices).not.toEqual(seven.indices);
    expect((await all({ shuffle: 7, n: 3 }, 6)).indices).toEqual(seven.indices.slice(0, 3));
    expect((await all({ n: 2 }, 6)).indices).toEqual([0, 1]);
    expect((await all({ n: 99 }, 6)).indices).toHaveLength(6);
  });

  it('stops between batches when it is cancelled', async () => {
    const data = await adapt(images, input('n', 2, 2));
    const stop = new AbortController();
    const batches = data.batches(2, stop.signal);
    await batches.next();
    stop.abort();
    await expect(batches.next()).rejects.toMatchObject({ code: 'run/cancelled' });
    await expect(data.batches(0).next()).rejects.toMatchObject({ code: 'option/invalid' });
    await expect(data.read(5, 2)).rejects.toMatchObject({ code: 'option/invalid' });
  });
});
