import { mkdir, mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { graph, model, node, value } from '../../../onnx/model.fixture.ts';
import { float32Tensor } from '../../../onnx/tensor.ts';
import { serializeModel } from '../../../onnx/write.ts';
import { testRegistry } from '../../../registry/registry.fixture.ts';
import { formatTrust } from '../../../registry/trust.ts';
import type { RegistryConfig, VersionConfig } from '../config-schema.ts';
import { type AdmissionSurroundings, openAdmission } from './admit.ts';
import { findInRegistry, holdFromRegistry } from './from-registry.ts';
import { holdModel } from './held-model.ts';
import { surroundingsIn } from './surroundings.fixture.ts';

let folder: string;
const at = (name: string) => join(folder, name);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-admit-refusals-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

const BYTES = serializeModel(
  model(
    graph({
      inputs: [value('x', ['n', 3])],
      outputs: [value('y', ['n', 3])],
      nodes: [node('Add', ['x', 'b'], ['y'])],
      initializers: { b: float32Tensor([3], Float32Array.of(1, 2, 3)) },
    }),
  ),
);
const around = (rest: Partial<AdmissionSurroundings> = {}) => surroundingsIn(folder, rest);
const refusal = async (config: VersionConfig, rest: Partial<AdmissionSurroundings> = {}) => {
  const result = await openAdmission(around(rest)).admit({ model: 'net', version: '1', config });
  return result.admitted ? 'admitted' : `${result.code}: ${result.because}`;
};
const asGiven = { check: { asGiven: true } } as const;

describe('what is no model is not admitted', () => {
  it('a device, a folder with nothing in it, one of several files and none that is named', async () => {
    expect(await refusal({ file: '/dev/null', ...asGiven })).toMatch(
      /^model\/unreadable: .*expected a file, got something else/,
    );
    await mkdir(at('net'));
    expect(await refusal({ file: 'net', ...asGiven })).toMatch(/^manifest\/refused: .*at least one file/);
    await writeFile(at('net/a.onnx'), BYTES);
    expect(await refusal({ file: 'net', ...asGiven })).toBe('admitted');
    await writeFile(at('net/b.onnx'), BYTES);
    expect(await refusal({ file: 'net', ...asGiven })).toMatch(
      /^option\/invalid: .*expected one ONNX file among what was checked, got .*a\.onnx.*b\.onnx/,
    );
    expect(await refusal({ file: 'net', entry: 'b.onnx', ...asGiven })).toBe('admitted');
    expect(await refusal({ file: 'net', entry: 'c.onnx', ...asGiven })).toMatch(
      /^option\/invalid: .*c\.onnx/,
    );
  });

  it('a file that shrinks while it is read', async () => {
    await writeFile(at('net.onnx'), BYTES);
    const probe = await open(at('net.onnx'));
    const found = await probe.stat();
    const stat = vi.spyOn(Object.getPrototypeOf(probe), 'stat');
    await probe.close();
    stat.mockResolvedValueOnce(Object.assign(found, { size: BYTES.length + 1 }));
    await expect(holdModel(at('net.onnx'), { most: 2 ** 20, ignore: [] })).rejects.toMatchObject({
      code: 'manifest/changed',
      message: expect.stringContaining('shrank while it was read'),
    });
  });
});

describe('what should vouch for a model and does not keeps it out', () => {
  beforeEach(() => writeFile(at('net.onnx'), BYTES));

  it('a signature that is not there, or too large to be one', async () => {
    const config = { file: 'net.onnx', check: { signature: { trust: [] } } };
    expect(await refusal(config)).toMatch(/^signature\/unreadable: .*net\.onnx\.sig: there is no such/);
    await writeFile(at('net.onnx.sig'), '');
    await truncate(at('net.onnx.sig'), 2 ** 32);
    expect(await refusal(config)).toMatch(
      /^signature\/unreadable: .*expected at most \d+ bytes, got 4294967296/,
    );
  });

  it('keys that are not there', async () => {
    await writeFile(at('net.onnx.sig'), '{}');
    const check = { signature: { trust: ['nobody.pub'] } };
    expect(await refusal({ file: 'net.onnx', check })).toMatch(
      /^key\/unusable: .*nobody\.pub: there is no such/,
    );
  });

  it('a list of revoked digests that is not there, or holds something else', async () => {
    const revoked = () => 'revoked';
    expect(await refusal({ file: 'net.onnx', ...asGiven }, { revoked })).toMatch(
      /^option\/invalid: .*revoked: there is no such/,
    );
    await writeFile(at('revoked'), '\nsha256:x\n');
    expect(await refusal({ file: 'net.onnx', ...asGiven }, { revoked })).toMatch(
      /^option\/invalid: .*revoked:2: expected a digest/,
    );
  });
});

describe('what a registry gives', () => {
  it('is no more than there is room for, and just what was promoted; its trust must be there', async () => {
    const made = await testRegistry();
    try {
      await made.push('1', { 'net.onnx': Buffer.from(BYTES) as unknown as string });
      await made.change({ version: '1' }, 'alice');
      await writeFile(at('trust.json'), formatTrust((await made.memory.trust())!));
      const registry: RegistryConfig = {
        location: join(made.folder, 'registry'),
        model: 'net:production',
        trust: 'trust.json',
      };
      const now = () => made.now().getTime();
      expect(await refusal({ registry }, { now })).toBe('admitted');
      expect(await refusal({ registry }, { now, room: () => 10 })).toMatch(
        /^model\/too-large: net:production: expected at most 10 bytes/,
      );
      expect(await refusal({ registry: { ...registry, trust: 'none.json' } }, { now })).toMatch(
        /^registry\/untrusted: .*none\.json/,
      );
      const signature = { registry, check: { signature: { trust: [] } } };
      expect(await refusal(signature, { now })).toMatch(/^option\/invalid: signature: expected a bundle/);
      const found = await findInRegistry(registry, around({ now }), 'net');
      const other = { ...found, version: { ...found.version, digest: `sha256:${'0'.repeat(64)}` } };
      await expect(holdFromRegistry(other, registry, 2 ** 30, around({ now }))).rejects.toMatchObject({
        code: 'registry/damaged',
        message: expect.stringMatching(/expected files that lead to sha256:0000/),
      });
    } finally {
      await rm(made.folder, { recursive: true, force: true });
    }
  });
});
