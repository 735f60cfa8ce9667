import { execFileSync } from 'node:child_process';
import { link, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GlacisError } from '../core/error.ts';
import { openBelow } from '../core/open-below.ts';
import { externalTensors, loadExternal, loadTensor } from './external-data.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { graph, model, node, refusal, value } from './model.fixture.ts';
import type { Attribute, Model } from './model.ts';
import { parseModel, readModel } from './read.ts';
import { type ExternalData, float32Tensor, numbersOf, type Tensor } from './tensor.ts';
import { serializeModel, writeModel } from './write.ts';

let root = '';
let folder = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'glacis-external-'));
  folder = join(root, 'model');
  await mkdir(join(folder, 'sub'), { recursive: true });
  const bytes = Uint8Array.from(new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer));
  for (const path of ['model/w.bin', 'model/sub/w.bin', 'secret.bin'])
    await writeFile(join(root, path), bytes);
});
afterEach(() => rm(root, { recursive: true }));

function outside(location: string, dims: readonly number[] = [2], rest: Partial<ExternalData> = {}): Tensor {
  return {
    dtype: 'float32',
    dims,
    data: new Uint8Array(0),
    external: { location, offset: 0, length: undefined, ...rest },
  };
}

function withTensors(...tensors: Tensor[]): Model {
  return model(graph({ initializers: Object.fromEntries(tensors.map((t, i) => [`w${i}`, t])) }));
}

const load = (...tensors: Tensor[]) => loadExternal(withTensors(...tensors), folder);
const valuesOf = (m: Model) => [...m.graph.initializers.values()].map((t) => [...numbersOf(t)]);

describe('external data', () => {
  it('is read from files in the folder and below, at its offset', async () => {
    const m = await load(
      outside('w.bin'),
      outside('sub/w.bin', [1], { offset: 12, length: 4 }),
      outside('./w.bin', [0]),
    );
    expect(valuesOf(m)).toEqual([[1, 2], [4], []]);
    expect(externalTensors(m)).toEqual([]);
  });

  it('is loaded in attributes and inner graphs too', async () => {
    const branch: Attribute = { kind: 'graph', value: graph({ initializers: { v: outside('w.bin') } }) };
    const m = await loadExternal(
      model(
        graph({
          nodes: [
            node('If', [], ['y'], {
              then_branch: branch,
              value: { kind: 'tensor', value: outside('w.bin', [1]) },
            }),
          ],
        }),
      ),
      folder,
    );
    expect(externalTensors(m)).toEqual([]);
    const { value: tensor } = m.graph.nodes[0]!.attributes.get('value') as Extract<
      Attribute,
      { kind: 'tensor' }
    >;
    expect([...numbersOf(tensor)]).toEqual([1]);
  });

  it('is held once, however many tensors share its bytes', async () => {
    const m = await load(outside('w.bin', [4]), outside('w.bin', [4]), outside('w.bin', [2], { offset: 4 }));
    const [a, b, c] = [...m.graph.initializers.values()];
    expect(b!.data.buffer).toBe(a!.data.buffer);
    expect(c!.data.buffer).toBe(a!.data.buffer);
    expect(a!.data.buffer.byteLength).toBe(16);
    expect(valuesOf(m)).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, 4],
      [2, 3],
    ]);
  });

  it('does not let shared bytes pass for much data: 20,000 tensors cost one file', async () => {
    const many = Array.from({ length: 20_000 }, () => outside('w.bin', [4]));
    const m = await loadExternal(withTensors(...many), folder, {
      limits: { ...DEFAULT_LIMITS, externalBytes: 16 },
    });
    expect(m.graph.initializers.size).toBe(20_000);
    const limits = { ...DEFAULT_LIMITS, externalBytes: 15 };
    expect(
      (await refusal(() => loadExternal(withTensors(outside('w.bin', [4])), folder, { limits }))).code,
    ).toBe('model/too-large');
  });

  it('can be loaded one tensor at a time', async () => {
    expect([...numbersOf(await loadTensor(outside('w.bin', [2], { offset: 8 }), folder))]).toEqual([3, 4]);
    const inside = float32Tensor([1], [1]);
    expect(await loadTensor(inside, folder)).toBe(inside);
  });

  it('may lie beyond 2 GiB', async () => {
    await truncate(join(folder, 'w.bin'), 2 ** 32 + 8);
    expect(valuesOf(await load(outside('w.bin', [2], { offset: 2 ** 32 })))).toEqual([[0, 0]]);
  });

  it('stops when it is cancelled', async () => {
    const run = () => loadExternal(withTensors(outside('w.bin')), folder, { signal: AbortSignal.abort() });
    expect((await refusal(run)).code).toBe('run/cancelled');
  });
});

describe('external data never leads out of the folder', () => {
  const refuse = (reason: string) => new GlacisError('model/external-data', reason);
  const refused = async (location: string, reason: string): Promise<void> => {
    for (const run of [
      () => load(outside(location)),
      () => loadTensor(outside(location), folder),
      () => openBelow(folder, location, refuse, 'paths'),
    ]) {
      const { code, message } = await refusal(run);
      expect([code, message], location).toEqual(['model/external-data', expect.stringContaining(reason)]);
    }
  };

  it('but a plain file inside opens, whichever way the system offers', async () => {
    for (const how of ['descriptors', 'paths'] as const) {
      if (how === 'descriptors' && process.platform !== 'linux') continue;
      const handle = await openBelow(folder, 'sub/w.bin', refuse, how);
      expect((await handle.stat()).size).toBe(16);
      await handle.close();
    }
  });

  it('by ".."', async () => {
    for (const location of ['../secret.bin', '..', 'sub/../../secret.bin', './../secret.bin', 'sub/../w.bin'])
      await refused(location, '".."');
  });

  it('by an absolute path or a drive', async () => {
    for (const location of [join(root, 'secret.bin'), '/etc/passwd', '//server/share'])
      await refused(location, 'is absolute');
    for (const location of ['C:/secret.bin', 'C:secret.bin', 'w.bin:stream', 'file:///etc/passwd'])
      await refused(location, 'a colon');
  });

  it('by backslashes, zero bytes, invalid text or reserved names', async () => {
    for (const location of ['..\\secret.bin', 'sub\\w.bin', '\\\\server\\share'])
      await refused(location, 'a backslash');
    for (const location of ['w.bin\0.txt', 'w\udcff.bin']) await refused(location, 'no file name may hold');
    for (const location of ['con', 'sub/NUL.bin', 'w.bin.', 'w.bin '])
      await refused(location, 'reserved name');
  });

  it('by a symbolic link in place of the file', async () => {
    await symlink(join(root, 'secret.bin'), join(folder, 'link.bin'));
    await refused('link.bin', 'symbolic link');
    await symlink('w.bin', join(folder, 'inside.bin'));
    await refused('inside.bin', 'symbolic link');
  });

  it('by a symbolic link in place of a folder', async () => {
    await symlink(root, join(folder, 'up'));
    await refused('up/secret.bin', 'symbolic link');
    await symlink('sub', join(folder, 'same'));
    await refused('same/w.bin', 'symbolic link');
  });

  it('by a hard link', async () => {
    await link(join(root, 'secret.bin'), join(folder, 'hard.bin'));
    await refused('hard.bin', 'hard links');
  });

  it('to a folder, a pipe or nothing', async () => {
    await refused('sub', 'not a regular file');
    await refused('sub/', 'names no file');
    await refused('.', 'names no file');
    await refused('none.bin', 'is not there');
    await refused('w.bin/x', 'no folder');
  });

  it.skipIf(process.platform === 'win32')('to a named pipe, without waiting for its other end', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    await refused('pipe', 'not a regular file');
  });

  it('by its offset or length', async () => {
    for (const tensor of [
      outside('w.bin', [5]),
      outside('w.bin', [1], { offset: 13 }),
      outside('w.bin', [1], { offset: 2 ** 52 }),
    ]) {
      const { code, message } = await refusal(() => load(tensor));
      expect([code, message]).toEqual(['model/external-data', expect.stringContaining('a file of 16 bytes')]);
    }
    for (const length of [0, 4, 12]) {
      expect((await refusal(() => load(outside('w.bin', [2], { length })))).message).toContain(
        'expected 8 bytes',
      );
    }
  });

  it('by numbers that are none', async () => {
    for (const text of ['-4', '1e3', ' 4', '0x10', '99999999999999999', '']) {
      const file = serializeModel(withTensors(outside('w.bin', [1], { offset: text as unknown as number })));
      const { code, message } = await refusal(() => parseModel(file));
      expect([code, message], text).toEqual(['model/invalid', expect.stringContaining('external offset')]);
    }
  });
});

describe('a model with external data', () => {
  const weights = float32Tensor(
    [300],
    Float32Array.from({ length: 300 }, (_, i) => i),
  );
  const small = float32Tensor([1], [7]);
  const whole = model(
    graph({ outputs: [value('w', [300])], initializers: { w: weights, v: small, same: weights } }),
  );

  it('comes back as it was written', async () => {
    const path = join(folder, 'm.onnx');
    await writeModel(path, whole, { externalData: 100 });
    const { file, ...read } = await readModel(path);
    expect(read).toEqual(whole);
    const kept = await readModel(path, { external: 'keep' });
    expect(kept.graph.initializers.get('w')).toMatchObject({
      dims: [300],
      external: { location: 'm.onnx.data', offset: 0, length: 1200 },
    });
    expect(kept.graph.initializers.get('v')!.external).toBeUndefined();
    expect(await loadExternal(kept, file.directory)).toMatchObject({
      graph: { initializers: whole.graph.initializers },
    });
  });

  it('is not written elsewhere while its data are still outside', async () => {
    const path = join(folder, 'm.onnx');
    await writeModel(path, whole, { externalData: 100 });
    const kept = await readModel(path, { external: 'keep' });
    expect((await refusal(() => writeModel(join(root, 'copy.onnx'), kept))).code).toBe('model/external-data');
    expect(parseModel(serializeModel(kept)).graph.initializers.get('w')!.external?.location).toBe(
      'm.onnx.data',
    );
  });
});
