import { createHash } from 'node:crypto';
import type { ServedModel } from '../served-model.ts';
import type { LoadedVersion } from './loaded-version.ts';

/** A model's versions and who gets which. */
export interface Routed {
  readonly versions: ReadonlyMap<string, LoadedVersion>;
  /** The version that answers where none is named. */
  readonly use: string;
  readonly canary?: { readonly version: string; readonly share: number } | undefined;
}

/** The version that answers a principal: the one named, or the one in service, or a canary for those who fall into its share. */
export function versionFor(
  name: string,
  { versions, use, canary }: Routed,
  version: string | undefined,
  principal: string | undefined,
): ServedModel | undefined {
  const chosen =
    version ??
    (canary && principal !== undefined && isInShare(name, canary, principal) ? canary.version : use);
  return versions.get(chosen)?.served;
}

/** Whether a principal falls into a canary's share: always the same ones, and more of them when the share grows. */
function isInShare(
  name: string,
  { version, share }: NonNullable<Routed['canary']>,
  principal: string,
): boolean {
  const hash = createHash('sha256').update(`${name}\n${version}\n${principal}`).digest();
  return hash.readUInt32BE(0) / 2 ** 32 < share;
}
