import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeModel } from './describe.ts';
import { inputsFor, runInRuntime } from './ort.fixture.ts';
import { parseModel, readModel } from './read.ts';
import { serializeModel, writeModel } from './write.ts';

const models = join(process.env.GLACIS_SHARED ?? '../shared', 'models');
const files = existsSync(models) ? readdirSync(models).filter((name) => name.endsWith('.onnx')) : [];

describe.skipIf(files.length === 0)(
  `trained models (skipped without GLACIS_SHARED: real files to read)`,
  () => {
    let folder = '';
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'glacis-real-'));
    });
    afterAll(() => rm(folder, { recursive: true }));

    it.each(files)('%s computes the same once it was read and written', async (name) => {
      const original = new Uint8Array(await readFile(join(models, name)));
      const m = parseModel(original);
      const inputs = inputsFor(m);
      expect(Object.keys(inputs)).not.toHaveLength(0);
      const expected = await runInRuntime(original, inputs);
      expect(await runInRuntime(serializeModel(m), inputs)).toEqual(expected);
      const path = join(folder, name);
      await writeModel(path, m, { externalData: 64 });
      const { file: _, ...again } = await readModel(path);
      expect(again).toEqual(m);
      expect(await runInRuntime(serializeModel(again), inputs)).toEqual(expected);
      expect(describeModel(m).parameters).toBeGreaterThan(1000);
    });
  },
);
