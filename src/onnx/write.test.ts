import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { graph, model, node, refusal, reluModel } from './model.fixture.ts';
import type { Tensor } from './tensor.ts';
import { serializeModel, writeModel } from './write.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-write-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('writeModel', () => {
  it('writes the bytes of serializeModel, making folders and leaving nothing else', async () => {
    const path = join(folder, 'deep/down/m.onnx');
    await writeModel(path, reluModel());
    expect(Uint8Array.from(await readFile(path))).toEqual(serializeModel(reluModel()));
    expect(await readdir(join(folder, 'deep/down'))).toEqual(['m.onnx']);
  });

  it('leaves the old file alone when it cannot finish', async () => {
    const path = join(folder, 'm.onnx');
    await writeFile(path, 'old');
    expect((await refusal(() => writeModel(path, reluModel(), { signal: AbortSignal.abort() }))).code).toBe(
      'run/cancelled',
    );
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['m.onnx']);
  });

  it('says when it cannot write', async () => {
    await mkdir(join(folder, 'm.onnx'));
    expect((await refusal(() => writeModel(join(folder, 'm.onnx'), reluModel()))).code).toBe(
      'output/unwritable',
    );
    await writeFile(join(folder, 'file'), '');
    expect((await refusal(() => writeModel(join(folder, 'file/m.onnx'), reluModel()))).code).toBe(
      'output/unwritable',
    );
  });

  it('refuses a threshold that is no number of bytes', async () => {
    for (const externalData of [0, -1, 0.5, Number.NaN]) {
      expect(
        (await refusal(() => writeModel(join(folder, 'm.onnx'), reluModel(), { externalData }))).code,
      ).toBe('option/invalid');
    }
  });

  it('refuses to write one file beyond 2 GiB, before it makes a copy', async () => {
    // One buffer of 64 MiB named 33 times.
    const tensor: Tensor = { dtype: 'uint8', dims: [2 ** 26], data: new Uint8Array(2 ** 26) };
    const initializers = Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`w${i}`, { ...tensor }]));
    const { code, message } = await refusal(() => serializeModel(model(graph({ initializers }))));
    expect([code, message]).toEqual(['model/too-large', expect.stringContaining('external data')]);
  });

  it('refuses an opaque attribute that is not encoded', async () => {
    const nodes = [node('X', [], ['y'], { a: { kind: 'opaque', value: {} } })];
    expect((await refusal(() => serializeModel(model(graph({ nodes }))))).code).toBe('model/invalid');
  });
});
