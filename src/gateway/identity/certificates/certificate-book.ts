import { hash } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import type { Principal } from '../../principal.ts';
import { Refused } from '../../refusal.ts';
import type { Scope } from '../../scope.ts';
import { recentMap } from '../recent-map.ts';
import { type AlternativeName, alternativeNames } from './alternative-names.ts';

/** Whose certificate is whose. */
export interface CertificateEntry {
  /** `sha256:…` of the certificate. */
  readonly fingerprint?: string | undefined;
  /** `uri:spiffe://example.org/scanner`, `dns:scanner.example.org`, `email:ann@example.org`. */
  readonly name?: string | undefined;
  readonly principal: string;
  readonly tenant: string;
  readonly roles: readonly string[];
  readonly scope?: Scope | undefined;
}

/** Principals by certificate. */
export interface CertificateBook {
  /**
   * The principal of a certificate whose chain the handshake has verified. Its dates are checked on every call, because a connection may last longer than it.
   * Errors: `Refused` `unauthenticated`.
   */
  identify(certificate: PeerCertificate): Principal;
}

interface Known {
  /** Undefined: nobody's, and why. */
  readonly principal: Principal | undefined;
  readonly because: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly until: number;
}

/** Certificates that are remembered: a connection's certificate is read once. */
const MOST_KNOWN = 4096;

/** Opens a book. A certificate's own entry counts before those of its names; names that lead to several principals lead to none. */
export function openCertificateBook(
  entries: readonly CertificateEntry[],
  refused: readonly string[],
  { now }: { readonly now: () => number },
): CertificateBook {
  const byPrint = new Map(
    entries.flatMap((entry) => (entry.fingerprint ? [[entry.fingerprint, entry]] : [])),
  );
  const byName = new Map(entries.flatMap((entry) => (entry.name ? [[normal(entry.name), entry]] : [])));
  const out = new Set(refused);
  const known = recentMap<Known>(MOST_KNOWN);

  const read = (certificate: PeerCertificate, print: string): Known => {
    const until = Date.parse(certificate.valid_to);
    const from = Date.parse(certificate.valid_from);
    const nobody = (because: string): Known => ({ principal: undefined, because, from, until });
    if (out.has(print)) return nobody('one that is refused');
    const own = byPrint.get(print);
    if (own) return { principal: principalOf(own, print), because: '', from, until };
    const names = alternativeNames(certificate.subjectaltname ?? '');
    if (names === undefined) return nobody('names that cannot be read');
    const found = new Set(names.flatMap((name) => byName.get(keyOf(name)) ?? []));
    const principals = new Set([...found].map(({ principal }) => principal));
    if (principals.size !== 1 || found.size !== 1)
      return nobody(found.size === 0 ? 'a name that is nobody’s' : 'names of several principals');
    return { principal: principalOf([...found][0]!, print), because: '', from, until };
  };
  return {
    identify(certificate) {
      const print = `sha256:${hash('sha256', certificate.raw, 'hex')}`;
      let found = known.get(print);
      if (found === undefined) {
        found = read(certificate, print);
        known.set(print, found);
      }
      const at = now();
      // A date that cannot be read is NaN, and no comparison holds with it.
      if (!(at >= found.from && at < found.until)) throw refusal(print, 'expired, or not valid yet');
      if (found.principal === undefined) throw refusal(print, found.because);
      return found.principal;
    },
  };
}

/** `x5t#S256` of a certificate (RFC 8705): what tokens that are bound to one name it by. */
export function certificatePrint(certificate: PeerCertificate | undefined): string | undefined {
  return hasCertificate(certificate) ? hash('sha256', certificate.raw, 'base64url') : undefined;
}

/** Node gives an empty object where there is no certificate. */
export function hasCertificate(certificate: PeerCertificate | undefined): certificate is PeerCertificate {
  return certificate?.raw instanceof Uint8Array && certificate.raw.length > 0;
}

function refusal(print: string, because: string): Refused {
  return new Refused('unauthenticated', `certificate ${print}: ${because}`);
}

function principalOf({ principal, tenant, roles, scope }: CertificateEntry, print: string): Principal {
  return Object.freeze({
    id: principal,
    tenant,
    credential: print,
    kind: 'certificate',
    roles: Object.freeze([...roles]),
    ...(scope && { scope }),
  });
}

function keyOf({ kind, value }: AlternativeName): string {
  return normal(`${kind}:${value}`);
}

/** Names of hosts are the same in capitals; everything else is compared as it is. */
function normal(name: string): string {
  return name.startsWith('dns:') ? name.toLowerCase() : name;
}
