import { GlacisError } from '../../core/error.ts';
import type { Caller } from '../call.ts';
import type { Principal } from '../principal.ts';
import { looksLikePseudonym } from '../pseudonym-mark.ts';
import { Refused } from '../refusal.ts';
import type { Identifier } from '../rights.ts';
import { presentedBy } from './bearer.ts';
import {
  type CertificateBook,
  certificatePrint,
  hasCertificate,
  openCertificateBook,
} from './certificates/certificate-book.ts';
import type { IdentityConfig } from './config-schema.ts';
import { crowds } from './crowds.ts';
import { countFailures } from './failures.ts';
import { type KeyDesk, openKeyDesk } from './keys/key-desk.ts';
import { keyHash } from './keys/key-hash.ts';
import { openKeyRing } from './keys/key-ring.ts';
import type { KeyStore } from './keys/key-store.ts';
import { type IssuerSurroundings, openIssuer } from './tokens/open-issuer.ts';
import { openTokenVerifier, type TokenVerifier } from './tokens/token-verifier.ts';

/** Who callers are, and the desk where keys are made. */
export interface Identity extends Identifier {
  readonly keys: KeyDesk;
  /** Who has a key that could be used now, by the key's id: whoever signed in with it is who it says, for as long as it holds. Errors: `Refused`. */
  holder(key: string): Principal;
  /** Whether a principal has no more service, whatever it presents. */
  isShutOut(principal: string): boolean;
  /** Looks for keys that were made or revoked elsewhere, now. */
  refresh(): Promise<void>;
  /** Puts other issuers and certificates in force; nothing changes where they cannot be used. Keys stay. Errors: `option/invalid`. */
  reload(config: IdentityConfig): Promise<void>;
  /** The first half of {@link reload}; the function that it gives puts them in force and cannot fail. */
  prepare(config: IdentityConfig): Promise<() => void>;
  close(): Promise<void>;
}

/** What identity needs from outside. */
export interface IdentitySurroundings {
  /** At least 32 random bytes that stay the same, kept apart from the store; the same for all gateways that share one. */
  readonly secret: Uint8Array;
  readonly store: KeyStore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds of a clock that only goes forward. */
  readonly clock: () => number;
  readonly failed: (where: string, thrown: unknown) => void;
  /** Resolves the names of issuers; the system's resolver without. */
  readonly resolve?: IssuerSurroundings['resolve'];
  /** Where a path of the configuration leads; as it is written without. */
  readonly placeOf?: IssuerSurroundings['placeOf'];
}

/** Longest that `Bearer ` and a token may be. */
const MOST_HEADER = 16_384 + 16;

/** New tokens of one address that are verified at the same time: signatures are checked on the threads that write the log as well. */
const MOST_AT_ONCE = 64;

/** What a reload changes as a whole. */
interface Parts {
  readonly config: IdentityConfig;
  readonly tokens: TokenVerifier;
  readonly certificates: CertificateBook;
}

/**
 * Opens identity. A key, a certificate and a token that was verified before are known at once; a new token takes its signature, and its issuer's keys.
 * Errors: `option/invalid`; those of the store.
 */
export async function openIdentity(config: IdentityConfig, given: IdentitySurroundings): Promise<Identity> {
  const { secret, store, now, clock, failed } = given;
  if (secret.length < 32)
    throw new GlacisError('option/invalid', `secret: expected at least 32 bytes, got ${secret.length}`);
  const hash = keyHash(secret);
  const { lifetime, overlap, most } = config.keys;
  const failures = countFailures(config.failures, clock);
  const crowd = crowds(MOST_AT_ONCE);
  let parts = await openParts(config, given);
  const ring = await openKeyRing(config.keys, { store, hash, now, clock, failed });
  const keys = openKeyDesk({ ring, store, hash, now, defaults: { lifetime, overlap, most } });

  const waitFor = (address: string): void => {
    const wait = failures.wait(address);
    if (wait !== undefined) throw tooMany(wait, 'not tried');
  };
  /**
   * A failure counts against the address; that nobody can tell does not. After too many the answer is the same whether the credentials were wrong or new.
   */
  const counted = (thrown: unknown, address: string): unknown => {
    if (!(thrown instanceof Refused) || thrown.refusal !== 'unauthenticated') return thrown;
    const wait = failures.wait(address);
    failures.add(address);
    return wait === undefined ? thrown : tooMany(wait, thrown.because);
  };
  const admitted = (principal: Principal): Principal => {
    if (ring.isShutOut(principal.id))
      throw new Refused('unauthenticated', `principal ${principal.id}: shut out`);
    // A key that was made before such names were refused.
    if (looksLikePseudonym(principal.id) || looksLikePseudonym(principal.tenant))
      throw new Refused('unauthenticated', 'a name that could be taken for a pseudonym');
    return principal;
  };
  const byKey = (text: string, address: string): Principal => {
    const principal = ring.identify(text);
    // A right key from an address that has only failed so far could be the one right guess among many stolen keys.
    if (!ring.isKnownFrom(principal.credential, address)) {
      waitFor(address);
      ring.cameFrom(principal.credential, address);
    }
    return admitted(principal);
  };
  const byToken = (
    text: string,
    { address, certificate }: Caller,
    tokens: TokenVerifier,
  ): Principal | Promise<Principal> => {
    const print = certificatePrint(certificate);
    const known = tokens.known(text, print);
    if (known !== undefined) return admitted(known);
    waitFor(address);
    const verified = tokens.isUnderWay(text)
      ? tokens.verify(text, print)
      : crowd.through(address, () => tokens.verify(text, print));
    return verified.then(admitted);
  };
  const identify = (caller: Caller): Principal | Promise<Principal> => {
    const { config: current, tokens, certificates } = parts;
    const presented = presentedBy(caller.authorization, MOST_HEADER);
    const certificate = hasCertificate(caller.certificate) ? caller.certificate : undefined;
    if (presented.kind === 'unusable') throw new Refused('unauthenticated', presented.because);
    if (certificate === undefined && current.requireCertificate)
      throw new Refused('unauthenticated', 'no client certificate');
    if (presented.kind === 'nothing') {
      if (certificate !== undefined) return admitted(certificates.identify(certificate));
      if (current.anonymous) return admitted(ANONYMOUS);
      throw new Refused('unauthenticated', 'no credentials');
    }
    if (current.requireCertificate) admitted(certificates.identify(certificate!));
    return presented.kind === 'key'
      ? byKey(presented.text, caller.address)
      : byToken(presented.text, caller, tokens);
  };
  const prepare = async (next: IdentityConfig): Promise<() => void> => {
    const opened = await openParts(next, given);
    return () => {
      parts = opened;
    };
  };
  return {
    keys,
    identify(caller) {
      try {
        const found = identify(caller);
        if (!(found instanceof Promise)) return found;
        return found.catch((thrown: unknown) => {
          throw counted(thrown, caller.address);
        });
      } catch (thrown) {
        throw counted(thrown, caller.address);
      }
    },
    holder: (key) => admitted(ring.holder(key)),
    isShutOut: (principal) => ring.isShutOut(principal),
    refresh: () => ring.refresh(),
    reload: async (next) => (await prepare(next))(),
    prepare,
    close: () => ring.close(),
  };
}

async function openParts(config: IdentityConfig, given: IdentitySurroundings): Promise<Parts> {
  const { issuers, certificates, refusedCertificates, tokens } = config;
  unique(
    'issuers',
    issuers.map(({ name }) => name),
  );
  unique(
    'issuers',
    issuers.map(({ issuer }) => issuer),
  );
  unique(
    'certificates',
    certificates.map(({ fingerprint, name }) => fingerprint ?? name!),
  );
  const opened = await Promise.all(issuers.map((issuer) => openIssuer(issuer, given)));
  return {
    config,
    tokens: openTokenVerifier(opened, tokens, given),
    certificates: openCertificateBook(certificates, refusedCertificates, given),
  };
}

function unique(where: string, names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new GlacisError('option/invalid', `${where}: expected each once, got '${twice}' twice`);
}

function tooMany(wait: number, because: string): Refused {
  return new Refused('throttled', `too many failed attempts from this address; ${because}`, {
    retryAfter: wait,
  });
}

const ANONYMOUS: Principal = Object.freeze({
  id: 'anonymous',
  tenant: 'anonymous',
  credential: 'none',
  kind: 'anonymous',
  roles: Object.freeze([]),
});
