import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { blobOf, once, store } from '../blob-store.ts';
import { openBlobs, openPlace } from '../place.ts';
import { pull, resolveReference } from '../pull.ts';
import { type TestRegistry, testRegistry } from '../registry.fixture.ts';
import { verifyRegistry } from '../verify-registry.ts';
import { type OciServer, ociServer } from './oci-server.fixture.ts';
import { parseRepository } from './reference.ts';

const code = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing was thrown',
    (thrown: { code?: string }) => thrown.code ?? String(thrown),
  );
const RIGHTS = { GLACIS_OCI_USERNAME: 'user', GLACIS_OCI_PASSWORD: 'pass word' };
const nowhere = openPlace('.');

describe('blobs on an OCI registry', () => {
  let server: OciServer;
  let test: TestRegistry | undefined;
  afterEach(async () => {
    await server.close();
    if (test) await rm(test.folder, { recursive: true, force: true });
    test = undefined;
  });

  it('are a model that other tools can read, promoted on evidence that the registry keeps', async () => {
    server = await ociServer('team/models', 'pass word');
    const blobs = openBlobs(nowhere, `oci+http://${server.host}/team/models`, RIGHTS);
    test = await testRegistry({ blobs });
    await test.push('1', { 'model.onnx': 'weights', 'README.md': 'words' });
    const evidence = join(test.folder, 'assessment.json');
    await writeFile(evidence, '{}');
    await test.change({ version: '1', evidence: [evidence] }, 'alice');
    const manifest = JSON.parse(server.manifests.get('net-1')!.toString()) as {
      artifactType: string;
      layers: { mediaType: string; annotations: object }[];
    };
    expect(manifest.artifactType).toBe('application/vnd.cncf.model.manifest.v1+json');
    expect(manifest.layers.map(({ mediaType }) => mediaType)).toEqual([
      'application/vnd.cncf.model.doc.v1.raw',
      'application/vnd.cncf.model.weight.v1.raw',
    ]);
    expect(manifest.layers[1]?.annotations).toEqual({ 'org.cncf.model.filepath': 'model.onnx' });
    const kept = [...server.manifests.values()].map(
      (bytes) => JSON.parse(bytes.toString()) as { subject?: { digest: string } },
    );
    expect(
      kept.some(({ subject }) => subject?.digest === blobOf(server.manifests.get('net-1')!).digest),
    ).toBe(true);
    const registry = await test.open();
    const { version } = resolveReference(registry.state, { model: 'net', alias: 'production' });
    await pull(registry, blobs, version, join(test.folder, 'out'));
    expect(await readFile(join(test.folder, 'out/model.onnx'), 'utf8')).toBe('weights');
    expect((await verifyRegistry(registry, blobs, { deep: true })).filter(({ ok }) => !ok)).toEqual([]);
    // The token is for the registry and not for the store behind it.
    expect(server.stored.length).toBeGreaterThan(0);
    expect(server.stored.every((authorization) => authorization === undefined)).toBe(true);
  });

  it('are checked whatever the registry gives', async () => {
    server = await ociServer('m');
    const blobs = openBlobs(nowhere, `oci+http://${server.host}/m`, {});
    test = await testRegistry({ blobs });
    await test.push('1', { a: 'x' });
    server.blobs.set(blobOf(Buffer.from('x')).digest, Buffer.from('y'));
    const registry = await test.open();
    const { version } = resolveReference(registry.state, { model: 'net', version: '1' });
    expect(await code(pull(registry, blobs, version, join(test.folder, 'out')))).toBe('registry/damaged');
    for (const key of server.manifests.keys()) server.manifests.set(key, Buffer.from('{}'));
    expect(await code(pull(registry, blobs, version, join(test.folder, 'out')))).toBe('registry/damaged');
    server.manifests.clear();
    expect(await code(pull(registry, blobs, version, join(test.folder, 'out')))).toBe('registry/damaged');
  });

  it('need the right name and password', async () => {
    server = await ociServer('m', 'other');
    const blobs = openBlobs(nowhere, `oci+http://${server.host}/m`, RIGHTS);
    await expect(blobs.has(blobOf(Buffer.from('x')))).rejects.toMatchObject({
      code: 'registry/storage',
      message: expect.stringContaining('401'),
    });
    const open = openBlobs(nowhere, `oci+http://${server.host}/m`, {});
    expect(await code(store(open, blobOf(Buffer.from('x')), () => once(Buffer.from('x'))))).toBe(
      'registry/storage',
    );
  });
});

it.each([
  'oci://host',
  'oci://host/Name',
  'oci://host/../x',
  'oci://user@host/x',
  'oci:///x',
  'oci://host/a//b',
  'http://host/x',
])('%s is no repository', (location) => {
  expect(() => parseRepository(location)).toThrow('oci://HOST/NAME');
});
