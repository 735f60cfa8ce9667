import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { blobOf, once, store, verified } from '../blob-store.ts';
import { openPlace, type Place } from '../place.ts';
import { pull, resolveReference } from '../pull.ts';
import { type TestRegistry, testRegistry } from '../registry.fixture.ts';
import { verifyRegistry } from '../verify-registry.ts';
import { bodyOf, openBucket } from './bucket.ts';
import { s3Blobs } from './s3-blobs.ts';
import { s3EventLog } from './s3-log.ts';
import { S3_ENV, type S3Server, s3Server } from './s3-server.fixture.ts';
import { signRequest } from './sign-request.ts';

const code = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing was thrown',
    (thrown: { code?: string }) => thrown.code ?? String(thrown),
  );

it('signature version 4 is that of the example of Amazon S3', () => {
  // https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "Example: GET Object"
  const { authorization } = signRequest(
    {
      method: 'GET',
      url: new URL('https://examplebucket.s3.amazonaws.com/test.txt'),
      headers: { range: 'bytes=0-9' },
      bodySha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    },
    { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
    'us-east-1',
    new Date('2013-05-24T00:00:00Z'),
  );
  expect(authorization).toBe(
    'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  );
});

describe('a registry in a bucket', () => {
  let server: S3Server;
  let place: Place;
  let test: TestRegistry;
  beforeEach(async () => {
    server = await s3Server();
    place = openPlace('s3://models/team a/registry', { ...S3_ENV, AWS_ENDPOINT_URL_S3: server.endpoint });
  });
  afterEach(async () => {
    await server.close();
    if (test) await rm(test.folder, { recursive: true, force: true });
  });

  it('keeps what a folder keeps: push, promote, pull, verify', async () => {
    test = await testRegistry({ place });
    await test.push('1', { 'model.onnx': 'weights' });
    await test.change({ version: '1' }, 'alice');
    const registry = await test.open();
    const { version } = resolveReference(registry.state, { model: 'net', alias: 'production' });
    await pull(registry, test.blobs, version, join(test.folder, 'out'));
    const checks = await verifyRegistry(registry, test.blobs, { deep: true });
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    await place.log.refresh(test.keeper);
    expect((await test.open()).state.entries).toBe(3);
  });

  it('lets two writers work at once, without a lock', async () => {
    test = await testRegistry({ place });
    await Promise.all(['1', '2', '3'].map((version) => test.push(version, { a: version })));
    const registry = await test.open();
    expect([...registry.state.versions.values()].map(({ version }) => version).sort()).toEqual([
      '1',
      '2',
      '3',
    ]);
    expect((await verifyRegistry(registry, test.blobs, { deep: true })).every(({ ok }) => ok)).toBe(true);
  });

  it('completes what a writer claimed before it died', async () => {
    test = await testRegistry({ place });
    const bucket = openBucket(
      's3://models/team a/registry/log',
      { ...S3_ENV, AWS_ENDPOINT_URL_S3: server.endpoint },
      () => new Date(),
    );
    await bucket.put('claims/1', bodyOf(Buffer.from('an entry of somebody who died')), { if: 'absent' });
    await test.push('1', { a: 'x' });
    const { state } = await test.open();
    expect(state.entries).toBe(3);
    expect(state.problems.map(({ index }) => index)).toEqual([1]);
    expect(state.versions.size).toBe(1);
  });

  it('does not go back when a slow writer comes last', async () => {
    test = await testRegistry({ place });
    const env = { ...S3_ENV, AWS_ENDPOINT_URL_S3: server.endpoint };
    const bucket = openBucket('s3://models/team a/registry/log', env, () => new Date());
    const quick = s3EventLog(bucket);
    const slow = s3EventLog({
      ...bucket,
      async put(key, body, options) {
        // Everything happens between the slow writer's tiles and its checkpoint.
        if (key === 'checkpoint') {
          await quick.tryAppend(1, Buffer.from('completes the claim'), test.keeper);
          await quick.tryAppend(2, Buffer.from('another'), test.keeper);
        }
        return bucket.put(key, body, options);
      },
    });
    await slow.tryAppend(1, Buffer.from('slow'), test.keeper);
    const { state } = await test.open();
    expect(state.entries).toBe(3);
    expect(Buffer.from(await (await test.open()).log.entry(1)).toString()).toBe('slow');
  });

  it('does not begin on a server that overwrites what is there', async () => {
    server.conditional = false;
    expect(await code(testRegistry({ place }).then((made) => (test = made)))).toBe('registry/storage');
  });

  it('is not begun twice', async () => {
    test = await testRegistry({ place });
    expect(await code(testRegistry({ place }))).toBe('ledger/exists');
  });

  it('tries again when the server is busy, and stores nothing that does not fit its digest', async () => {
    test = await testRegistry({ place });
    server.failNext = 2;
    const blob = blobOf(Buffer.from('weights'));
    await store(test.blobs, blob, () => once(Buffer.from('weights')));
    expect(server.failNext).toBe(0);
    const other = blobOf(Buffer.from('others!'));
    expect(await code(store(test.blobs, other, () => once(Buffer.from('changed'))))).toBe('registry/damaged');
    expect(await test.blobs.has(other)).toBe(false);
    for (const [key, bytes] of server.objects)
      if (key.includes('blobs/sha256') && bytes.toString() === 'weights') bytes[0] = 1;
    const read = async () => {
      for await (const _ of verified(blob, test.blobs.get(blob), 'x'));
    };
    expect(await code(read())).toBe('registry/damaged');
    expect(
      await code(
        (async () => {
          for await (const _ of test.blobs.get(other));
        })(),
      ),
    ).toBe('registry/damaged');
  });

  it('sends large objects in parts, and leaves none when their bytes are wrong', async () => {
    const env = { ...S3_ENV, AWS_ENDPOINT_URL_S3: server.endpoint };
    const blobs = s3Blobs(openBucket('s3://models/x', env, () => new Date(), { from: 10, part: 4 }));
    const bytes = Buffer.from('eleven byte');
    await store(blobs, blobOf(bytes), () => once(bytes));
    expect(server.requests.filter((line) => line.startsWith('PUT'))).toHaveLength(3);
    expect([...server.objects.values()].map(String)).toEqual(['eleven byte']);
    expect(await code(store(blobs, blobOf(Buffer.from('another one')), () => once(bytes)))).toBe(
      'registry/damaged',
    );
    expect(server.objects.size).toBe(1);
  });

  it('is not reached with wrong rights, and says so', async () => {
    const wrong = openPlace('s3://models/x', {
      ...S3_ENV,
      AWS_SECRET_ACCESS_KEY: 'guessed',
      AWS_ENDPOINT_URL_S3: server.endpoint,
    });
    expect(await code(wrong.blobs.has(blobOf(Buffer.from('x'))))).toBe('registry/storage');
    expect(() => openPlace('s3://models/x', {})).toThrow('AWS_ACCESS_KEY_ID');
    expect(() => openPlace('s3://M!/x', S3_ENV)).toThrow('s3://BUCKET');
    expect(() => openPlace('s3://models/../x', S3_ENV)).toThrow('s3://BUCKET');
  });
});
