import { readFile } from 'node:fs/promises';
import { asGlacisError, GlacisError } from '../../../core/error.ts';
import { isLoopbackName } from '../../outbound/checked-request.ts';
import type { IdentityConfig } from '../config-schema.ts';
import { type GetOptions, getJson } from './get-json.ts';
import { type IssuerKey, readKeySet } from './key-set.ts';
import { openKeySource } from './key-source.ts';
import type { Issuer } from './token-verifier.ts';

/** An issuer as it is configured. */
export type IssuerConfig = IdentityConfig['issuers'][number];

const TIMEOUT = 5000;
const MOST_BYTES = 256 * 1024;

/** What an issuer needs from outside. */
export interface IssuerSurroundings {
  readonly clock: () => number;
  readonly failed: (where: string, thrown: unknown) => void;
  readonly resolve?: GetOptions['resolve'];
  /** Where a path of the configuration leads; as it is written without. */
  readonly placeOf?: ((path: string) => string) | undefined;
}

/** Opens an issuer; it is not asked before its first token. Errors: `option/invalid` for an address that cannot be one, or an authority that cannot be read. */
export async function openIssuer(
  config: IssuerConfig,
  { clock, failed, resolve, placeOf = (path) => path }: IssuerSurroundings,
): Promise<Issuer> {
  const { name, issuer, audience, algorithms, type, claims, scope } = config;
  const options: GetOptions = {
    networks: {
      // An address on this machine is for trying things out, and never with the keys of somebody else's network.
      loopback: config.insecureLoopback,
      private: config.privateNetwork,
    },
    timeout: TIMEOUT,
    mostBytes: MOST_BYTES,
    ca: config.ca === undefined ? undefined : await authority(placeOf(config.ca)),
    resolve,
  };
  for (const address of [issuer, config.jwks]) if (address !== undefined) checkAddress(address, config);
  const load = async (): Promise<readonly IssuerKey[]> => {
    const address = config.jwks ?? (await discovered(config, options));
    return readKeySet(await getJson(new URL(address), options), name);
  };
  const { fresh, grace, cooldown } = config;
  return {
    issuer,
    audience,
    algorithms,
    type,
    leeway: config.leeway / 1000,
    longest: config.longest / 1000,
    claims: {
      issuer: name,
      principal: claims.principal,
      tenant: claims.tenant ?? { is: name },
      roles: claims.roles,
      scope,
    },
    keys: openKeySource({ fresh, grace, cooldown }, { load, clock, failed, name }),
  };
}

/**
 * Where the issuer's own discovery document (OpenID Connect Discovery 1.0, section 4) says that its keys are. Only on the issuer's own host: the document is not signed, and
 * what it names would be asked from inside the network. Errors: `endpoint/bad-answer`.
 */
async function discovered(config: IssuerConfig, options: GetOptions): Promise<string> {
  const { name, issuer } = config;
  const url = new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const document = (await getJson(url, options)) as {
    readonly issuer?: unknown;
    readonly jwks_uri?: unknown;
  } | null;
  if (document?.issuer !== issuer)
    throw new GlacisError(
      'endpoint/bad-answer',
      `issuer ${name}: expected the document of '${issuer}', got another`,
    );
  const keys = typeof document.jwks_uri === 'string' ? URL.parse(document.jwks_uri) : null;
  if (keys === null || keys.origin !== url.origin)
    throw new GlacisError(
      'endpoint/bad-answer',
      `issuer ${name}: expected keys on its own host, got another; if that is right, give its address as jwks`,
    );
  return keys.href;
}

function checkAddress(address: string, { name, insecureLoopback }: IssuerConfig): void {
  const { protocol, hostname, username, password, hash } = new URL(address);
  const isSecure =
    protocol === 'https:' || (protocol === 'http:' && insecureLoopback && isLoopbackName(hostname));
  if (!isSecure || username !== '' || password !== '' || hash !== '')
    throw new GlacisError(
      'option/invalid',
      `issuer ${name}: expected an address with https and without a password, got '${protocol}//…'`,
    );
}

async function authority(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    throw asGlacisError(thrown, 'option/invalid', path);
  }
}
