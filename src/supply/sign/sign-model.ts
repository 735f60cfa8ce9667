import { rootDigest } from './manifest.ts';
import { payloadOf } from './oms-statement.ts';
import { type ManifestOptions, type ModelManifest, readManifest } from './read-manifest.ts';
import type { Signer } from './signer.ts';

/** A signed model. */
export interface SignedModel extends ModelManifest {
  /** `sha256:` and the root digest. */
  readonly digest: string;
  /** What was signed; a second signature signs the same bytes. */
  readonly payload: Uint8Array;
  /** The signature file's text. */
  readonly bundle: string;
}

/**
 * Hashes the model at `path` and signs its manifest: an OpenSSF Model Signing v1.0 bundle. Errors: those of {@link readManifest} and of
 * the signer.
 */
export async function signModel(
  path: string,
  signer: Signer,
  options: ManifestOptions = {},
): Promise<SignedModel> {
  const read = await readManifest(path, options);
  const payload = payloadOf(read.manifest);
  const bundle = `${JSON.stringify(await signer.sign(payload))}\n`;
  return { ...read, digest: `sha256:${rootDigest(read.manifest.resources)}`, payload, bundle };
}
