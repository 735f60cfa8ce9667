import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { testRegistry } from '../../../registry/registry.fixture.ts';
import { formatTrust } from '../../../registry/trust.ts';
import { findInRegistry, holdFromRegistry } from './from-registry.ts';
import { surroundingsIn } from './surroundings.fixture.ts';

/** What a file's bytes become between the check of whoever reads them and this one. */
let change: (bytes: Uint8Array) => void = () => {};
vi.mock(import('../../../registry/pull.ts'), async (original) => {
  const pull = await original();
  return {
    ...pull,
    async *readFileOf(...about) {
      for await (const chunk of pull.readFileOf(...about)) {
        const own = Uint8Array.from(chunk);
        change(own);
        yield own;
      }
    },
  };
});

it('files whose bytes lead elsewhere than their manifest are not served, whatever was checked before', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'glacis-from-registry-'));
  const made = await testRegistry();
  try {
    await made.push('1', { 'a.onnx': 'abc', 'b.bin': 'weights' });
    await made.change({ version: '1' }, 'alice');
    await writeFile(join(folder, 'trust.json'), formatTrust((await made.memory.trust())!));
    const config = { location: join(made.folder, 'registry'), model: 'net:production', trust: 'trust.json' };
    const around = surroundingsIn(folder, { now: () => made.now().getTime() });
    const found = await findInRegistry(config, around, 'net');
    const hold = () => holdFromRegistry(found, config, 2 ** 20, around);
    expect(await hold()).toMatchObject({ root: found.version.digest, files: [{}, {}] });
    change = (bytes) => {
      bytes[0]! ^= 1;
    };
    await expect(hold()).rejects.toMatchObject({
      code: 'registry/damaged',
      message: expect.stringMatching(`^net:production: expected ${found.version.digest}, got sha256:`),
    });
  } finally {
    await rm(made.folder, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }
});
