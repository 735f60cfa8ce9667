import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NO_DOCKER_REGISTRY, startDockerRegistry } from '../../../test/servers/docker-registry.ts';
import { openBlobs, openPlace } from '../place.ts';
import { pull, resolveReference } from '../pull.ts';
import { testRegistry } from '../registry.fixture.ts';
import { verifyRegistry } from '../verify-registry.ts';

describe.skipIf(NO_DOCKER_REGISTRY !== undefined)('an OCI registry that is not ours', () => {
  it('keeps models with what speaks for them, gives them back, and lists them as others see them', async () => {
    const server = await startDockerRegistry();
    const blobs = openBlobs(openPlace('.'), `oci+http://${server.host}/team/models`, {});
    const test = await testRegistry({ blobs });
    try {
      // More than one chunk of an upload, and the same bytes twice.
      const weights = Buffer.alloc(9 << 20, 'weights');
      await test.push('1', {
        'model.onnx': weights.toString('latin1'),
        'copy.onnx': weights.toString('latin1'),
      });
      const evidence = join(test.folder, 'assessment.json');
      await writeFile(evidence, '{}');
      await test.change({ version: '1', evidence: [evidence] }, 'alice');
      const registry = await test.open();
      const { version } = resolveReference(registry.state, { model: 'net', alias: 'production' });
      await pull(registry, blobs, version, join(test.folder, 'out'));
      expect((await readFile(join(test.folder, 'out/model.onnx'))).equals(weights)).toBe(true);
      expect((await verifyRegistry(registry, blobs, { deep: true })).filter(({ ok }) => !ok)).toEqual([]);
      const tags = await (await fetch(`http://${server.host}/v2/team/models/tags/list`)).json();
      expect(tags).toMatchObject({ name: 'team/models', tags: expect.arrayContaining(['net-1']) });
      const manifest = await fetch(`http://${server.host}/v2/team/models/manifests/net-1`, {
        headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
      });
      expect(await manifest.json()).toMatchObject({
        artifactType: 'application/vnd.cncf.model.manifest.v1+json',
        layers: [{ size: weights.length }, { size: weights.length }],
      });
    } finally {
      await server.stop();
      await rm(test.folder, { recursive: true, force: true });
    }
  });
});
