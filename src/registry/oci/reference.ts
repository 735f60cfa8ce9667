import { GlacisError } from '../../core/error.ts';

/** A repository on an OCI registry. */
export interface OciRepository {
  /** With scheme, without a slash at the end. */
  readonly base: string;
  readonly host: string;
  /** Its name, e.g. `team/models`. */
  readonly name: string;
}

const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

/**
 * Reads `oci://HOST[:PORT]/NAME`; `oci+http://` is the same without TLS, for registries on this machine or behind another protection.
 * Errors: `option/invalid`.
 */
export function parseRepository(location: string): OciRepository {
  const [, plain, host = '', name = ''] =
    /^oci(\+http)?:\/\/([A-Za-z0-9.-]+(?::\d{1,5})?)\/(.+?)\/*$/.exec(location) ?? [];
  if (host === '' || name.length > 255 || !NAME.test(name))
    throw new GlacisError('option/invalid', `'${location.slice(0, 100)}': expected oci://HOST/NAME`);
  return { base: `${plain ? 'http' : 'https'}://${host}`, host, name };
}
