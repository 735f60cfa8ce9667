import { GlacisError } from '../../core/error.ts';
import { type Blob, type BlobStore, blobOf } from '../blob-store.ts';
import { bytesOf, refusal } from '../http-body.ts';
import { MANIFEST_TYPE } from '../model-manifest.ts';
import type { Environment } from '../place.ts';
import { type OciClient, ociClient } from './client.ts';
import { parseRepository } from './reference.ts';

/**
 * Blobs in a repository of an OCI registry. A model's manifest is an OCI manifest with ModelPack's media types, so that `oras`, `crane` and
 * the registry's own pages show what is there; its tag is `MODEL-VERSION`, a word for people on which nothing here rests. Evidence becomes an
 * artifact of its own (`keepEvidence`), because registries throw away blobs that no manifest names.
 */
export function ociBlobs(location: string, env: Environment): BlobStore {
  const repository = parseRepository(location);
  const { GLACIS_OCI_USERNAME: username, GLACIS_OCI_PASSWORD: password } = env;
  const ask = ociClient(repository, username && password ? { username, password } : undefined);
  const where = `oci://${repository.host}/${repository.name}`;
  return {
    where,
    async has(blob, signal) {
      const answer = await ask({ method: 'HEAD', path: `blobs/${blob.digest}`, signal });
      if (answer.status === 404) return false;
      if (!answer.ok) throw await refusal(answer, where);
      return Number(answer.headers.get('content-length')) === blob.size;
    },
    put: (blob, open, signal) => putBlob(ask, where, blob, open, signal),
    get: (blob, signal) => read(ask, where, `blobs/${blob.digest}`, {}, signal),
    async putManifest(bytes, tag, signal) {
      const { digest } = blobOf(bytes);
      await putManifest(ask, where, tag ?? digest, bytes, signal);
    },
    getManifest: (blob, signal) =>
      read(ask, where, `manifests/${blob.digest}`, { accept: MANIFEST_TYPE }, signal),
    async keepEvidence(model, evidence, signal) {
      for (const blob of evidence)
        await putManifest(
          ask,
          where,
          undefined,
          await evidenceManifest(ask, where, model, blob, signal),
          signal,
        );
    },
  };
}

/** Uploads a blob: the registry gives an address, all bytes go there in one request, and it keeps them only if they fit the digest. */
async function putBlob(
  ask: OciClient,
  where: string,
  { digest, size }: Blob,
  open: () => AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<void> {
  const started = await ask({
    method: 'POST',
    path: 'blobs/uploads/',
    headers: { 'content-length': '0' },
    signal,
  });
  const to = started.headers.get('location');
  if (started.status !== 202 || to === null) throw await refusal(started, where);
  await started.body?.cancel();
  // The address may be relative and may have a query already.
  const url = new URL(to, started.url);
  url.searchParams.set('digest', digest);
  const done = await ask({
    method: 'PUT',
    path: url.href,
    headers: { 'content-type': 'application/octet-stream' },
    body: { open, size },
    signal,
  });
  if (done.status !== 201) throw await refusal(done, where);
  await done.body?.cancel();
}

async function putManifest(
  ask: OciClient,
  where: string,
  reference: string | undefined,
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  const answer = await ask({
    method: 'PUT',
    path: `manifests/${reference ?? blobOf(bytes).digest}`,
    headers: { 'content-type': MANIFEST_TYPE },
    body: {
      size: bytes.length,
      async *open() {
        yield bytes;
      },
    },
    signal,
  });
  if (answer.status !== 201) throw await refusal(answer, where);
  await answer.body?.cancel();
}

/** An artifact that refers to a model's manifest and holds one file of evidence (image-spec 1.1, "Guidelines for Artifact Usage"). */
async function evidenceManifest(
  ask: OciClient,
  where: string,
  model: Blob,
  evidence: Blob,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const empty = Buffer.from('{}');
  const config = blobOf(empty);
  const found = await ask({ method: 'HEAD', path: `blobs/${config.digest}`, signal });
  if (!found.ok)
    await putBlob(ask, where, config, async function* () {
      yield empty;
    });
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      artifactType: 'application/vnd.glacis.evidence.v1',
      config: { mediaType: 'application/vnd.oci.empty.v1+json', ...config },
      layers: [{ mediaType: 'application/octet-stream', digest: evidence.digest, size: evidence.size }],
      subject: { mediaType: MANIFEST_TYPE, digest: model.digest, size: model.size },
    }),
  );
}

async function* read(
  ask: OciClient,
  where: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const answer = await ask({ method: 'GET', path, headers, signal });
  if (answer.status === 404)
    throw new GlacisError('registry/damaged', `${where}: expected ${path}; it is not there`);
  if (!answer.ok) throw await refusal(answer, where);
  yield* bytesOf(answer, where, signal);
}
