import { parseReference } from '../../registry/names.ts';
import { openBlobs } from '../../registry/place.ts';
import { readEvidence } from '../../registry/pull.ts';
import { openAnyRegistry, type RegistrySurroundings } from '../backend/admission/from-registry.ts';
import type { RegistryConfig } from '../backend/config-schema.ts';

/**
 * Everything that a registry has as evidence about a digest of a model: what it was pushed with and what came with its promotions, also where it is revoked or nobody signed the registry's
 * state lately. Errors: those of opening a registry, `registry/damaged`, `registry/storage`.
 */
export async function evidenceInRegistry(
  config: RegistryConfig,
  digest: string,
  around: RegistrySurroundings,
): Promise<readonly Uint8Array[]> {
  const { place, state } = await openAnyRegistry(config, around);
  const { model } = parseReference(config.model);
  const isOfModel = (key: string) => key.startsWith(`${model}\n`);
  const versions = [...state.versions].filter(([key]) => isOfModel(key)).map(([, version]) => version);
  const changes = [...state.aliases].filter(([key]) => isOfModel(key)).flatMap(([, { history }]) => history);
  const refs = [...versions, ...changes]
    .filter((each) => each.digest === digest)
    .flatMap(({ evidence }) => evidence);
  const blobs = openBlobs(place, state.blobs, around.env);
  const distinct = new Map(refs.map((ref) => [ref.digest, ref]));
  const all: Uint8Array[] = [];
  for (const ref of distinct.values()) all.push(await readEvidence(blobs, ref));
  return all;
}
