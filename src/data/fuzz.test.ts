import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { GlacisError } from '../core/error.ts';
import { adaptDataset } from './adapt.ts';
import { memorySource } from './byte-source.ts';
import { readCsv } from './csv.ts';
import { openIdx } from './idx.ts';
import { openImageFolder } from './image-folder.ts';
import { openNpy } from './npy.ts';
import { openNpz } from './npz.ts';
import { readParquet } from './parquet.ts';
import type { StoredArray } from './stored-array.ts';

// Contract of every reader: whatever the bytes, it gives a valid result or a GlacisError, within bounded time and memory.

const LIMIT = 1 << 22;
const vectors: Record<string, string> = JSON.parse(
  readFileSync(new URL('./vectors/numpy-pyarrow.json', import.meta.url), 'utf8'),
);
const vector = (name: string) => new Uint8Array(Buffer.from(vectors[name]!, 'base64'));
const idx = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8);
const folder = mkdtempSync(join(tmpdir(), 'glacis-fuzz-'));

async function readAll(array: StoredArray | undefined): Promise<void> {
  if (!array) return;
  const values = await array.read(0, array.shape[0] ?? 1);
  expect(values.length).toBe(array.shape.reduce((product, size) => product * size, 1));
}

const readers: Readonly<
  Record<string, { readonly valid: readonly Uint8Array[]; read(bytes: Uint8Array): Promise<unknown> }>
> = {
  npy: {
    valid: ['npy <f4', 'npy >i8', 'npy v2', 'npy fortran', 'npy scalar', 'npy object', 'npy structured'].map(
      vector,
    ),
    read: async (bytes) => readAll(await openNpy(memorySource(bytes, 'f'), 'f', LIMIT)),
  },
  npz: {
    valid: ['npz stored', 'npz deflated'].map(vector),
    async read(bytes) {
      const { arrays } = await openNpz(memorySource(bytes, 'f'), ['x', 'y'], 'f', LIMIT);
      for (const array of arrays) await readAll(array);
    },
  },
  idx: {
    valid: [idx, new Uint8Array(gzipSync(idx))],
    read: async (bytes) => readAll(await openIdx(memorySource(bytes, 'f'), 'f', LIMIT)),
  },
  csv: {
    valid: ['a,b,t\n1,2,0\n3,4,1\n', '"a";b\n"1""2",\n', '1.5,2,oak\n3,4,"el\nm"\n'].map((text) =>
      new TextEncoder().encode(text),
    ),
    async read(bytes) {
      const { n, features, values } = await readCsv(memorySource(bytes, 'f'), { maxBytes: LIMIT }, 'f');
      expect(values.length).toBe(n * features.length);
      expect(values.every(Number.isFinite)).toBe(true);
    },
  },
};

/** A valid file with some bytes changed, cut somewhere, or with bytes put in. */
const damaged = (valid: readonly Uint8Array[]) =>
  fc
    .tuple(
      fc.constantFrom(...valid),
      fc.array(fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 0x7f, 0x80, 0xff), fc.nat(255))), {
        maxLength: 6,
      }),
      fc.option(fc.nat()),
      fc.uint8Array({ maxLength: 8 }),
    )
    .map(([file, changes, cut, inserted]) => {
      const bytes = Uint8Array.from(file);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return cut === null ? bytes : Uint8Array.from([...bytes.subarray(0, cut % bytes.length), ...inserted]);
    });

async function holds(read: Promise<unknown>): Promise<void> {
  try {
    await read;
  } catch (error) {
    if (!(error instanceof GlacisError)) throw error;
  }
}

describe.each(Object.entries(readers))('%s', (_, { valid, read }) => {
  it('reads its valid files or refuses them by design', async () => {
    for (const file of valid) await holds(read(file));
    await expect(read(valid[0]!)).resolves.not.toThrow();
  });

  it('survives random bytes', () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), (bytes) => holds(read(bytes))),
      { numRuns: 300 },
    ));

  it('survives random bytes behind a valid start', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...valid),
        fc.nat(64),
        fc.uint8Array({ maxLength: 200 }),
        (file, keep, bytes) => holds(read(Uint8Array.from([...file.subarray(0, keep), ...bytes]))),
      ),
      { numRuns: 300 },
    ));

  it('survives damaged files', () =>
    fc.assert(
      fc.asyncProperty(damaged(valid), (bytes) => holds(read(bytes))),
      { numRuns: 600 },
    ));

  it('refuses every valid file cut at any place, or reads fewer rows', async () => {
    for (const file of valid) {
      for (let length = 0; length < file.length; length++) await holds(read(file.subarray(0, length)));
    }
  });
});

describe('Parquet', () => {
  it('survives damaged files', { timeout: 60_000 }, () =>
    fc.assert(
      fc.asyncProperty(
        damaged(['parquet snappy', 'parquet v2 pages', 'parquet text target'].map(vector)),
        async (bytes) => {
          const path = join(folder, 'f.parquet');
          writeFileSync(path, bytes);
          await holds(readParquet(path, { maxBytes: LIMIT }, 'f'));
        },
      ),
      { numRuns: 25 },
    ),
  );
});

describe('images', () => {
  it('survives damaged files', async () => {
    const noise = sharp(
      Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => (i * i) % 251),
      { raw: { width: 16, height: 16, channels: 3 } },
    );
    const valid = await Promise.all(
      (['png', 'jpeg', 'webp', 'gif', 'tiff'] as const).map(
        async (format) => new Uint8Array(await noise.toFormat(format).toBuffer()),
      ),
    );
    mkdirSync(join(folder, 'set', 'a'), { recursive: true });
    await fc.assert(
      fc.asyncProperty(damaged(valid), async (bytes) => {
        writeFileSync(join(folder, 'set', 'a', '1.png'), bytes);
        await holds(openImageFolder(join(folder, 'set'), {}));
      }),
      { numRuns: 150 },
    );
  });
});

describe('fitting to a model', () => {
  it('keeps every value of the samples, or refuses', () => {
    const axes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
    const wanted = fc.array(fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant('n'), fc.constant(null)), {
      maxLength: 4,
    });
    return fc.assert(
      fc.asyncProperty(axes, wanted, fc.constantFrom('nchw', 'nhwc', 'auto'), async (shape, dims, layout) => {
        const size = shape.reduce((product, axis) => product * axis, 1);
        const values = Float32Array.from({ length: 2 * size }, (_, i) => i);
        const dataset = {
          n: 2,
          sampleShape: shape,
          dtype: 'float32' as const,
          digest: 'sha256:0',
          describe: '',
          notes: [],
          read: async (start: number, count: number) => values.slice(start * size, (start + count) * size),
          close: async () => {},
        };
        const options = { layout: layout as 'nchw' | 'nhwc' | 'auto', range: [0, 1000] as const };
        await holds(
          adaptDataset(dataset, { name: 'x', dims: ['n', ...dims], dtype: 'float32' }, options).then(
            async (data) => {
              const batch = await data.read(0, 2);
              expect(
                batch.shape.slice(1).every((axis, i) => typeof dims[i] !== 'number' || dims[i] === axis),
              ).toBe(true);
              expect(batch.x.slice(0, size).sort()).toEqual(values.slice(0, size));
            },
          ),
        );
      }),
      { numRuns: 500 },
    );
  });
});
