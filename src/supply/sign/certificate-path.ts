import type { Certificate } from './certificate.ts';

/** What a path is looked for in. */
export interface PathRequest {
  readonly leaf: Certificate;
  /** Certificates that may stand in between; attacker-controlled. */
  readonly others: readonly Certificate[];
  /** The roots that are trusted: they sign themselves. */
  readonly roots: readonly Certificate[];
  /** When the certificates must be valid. */
  readonly at: Date;
}

/** A path from the leaf up to a trusted root, or why there is none. */
export type PathResult =
  | { readonly path: readonly Certificate[] }
  | { readonly path?: undefined; readonly reason: string };

/** Signatures that are checked at most, whatever the certificates look like. */
const MOST_CHECKS = 64;

/** Signature algorithms with MD5 or SHA-1: collisions can be made. */
const BROKEN: ReadonlySet<string> = new Set([
  '1.2.840.113549.1.1.4',
  '1.2.840.113549.1.1.5',
  '1.2.840.10045.4.1',
  '1.2.840.10040.4.3',
]);

/**
 * Looks for a path from `leaf` to one of `roots` in which each certificate was signed by the next, all are valid at the time, and every one
 * above the leaf is an authority that may sign certificates (RFC 5280, section 6, without policies and revocation; name constraints are
 * refused, not judged). The reason is that of the path that came furthest.
 */
export function findPath({ leaf, others, roots, at }: PathRequest): PathResult {
  let checks = 0;
  let best = { depth: -1, reason: 'no trusted root signed it' };
  const fail = (depth: number, reason: string) => {
    if (depth > best.depth) best = { depth, reason };
    return undefined;
  };
  const climb = (path: readonly Certificate[]): readonly Certificate[] | undefined => {
    const last = path.at(-1)!;
    const problem = problemOf(last, path.length - 1, at);
    if (problem !== undefined) return fail(path.length, `${nameOf(last)}: ${problem}`);
    if (roots.some((root) => same(root, last))) return path;
    for (const next of [...roots, ...others]) {
      if (path.some((one) => same(one, next)) || last.x509.issuer !== next.x509.subject) continue;
      if (++checks > MOST_CHECKS) return fail(99, `more than ${MOST_CHECKS} signatures to check`);
      if (BROKEN.has(last.signatureAlgorithm)) {
        fail(path.length, `${nameOf(last)}: it is signed with a broken hash`);
        continue;
      }
      if (!last.x509.verify(next.x509.publicKey)) {
        fail(path.length, `${nameOf(last)}: its signature is not that of ${nameOf(next)}`);
        continue;
      }
      const found = climb([...path, next]);
      if (found) return found;
    }
    return fail(path.length, `${nameOf(last)}: no trusted root signed it`);
  };
  const path = climb([leaf]);
  return path ? { path } : { reason: best.reason };
}

/** Why a certificate with `below` others under it may not stand where it stands. */
function problemOf(
  { x509, isAuthority, keyUsage, pathLength, unknownCritical }: Certificate,
  below: number,
  at: Date,
): string | undefined {
  if (at < x509.validFromDate)
    return `it is not valid before ${x509.validFromDate.toISOString()}, and the time is ${at.toISOString()} (is the clock right?)`;
  if (at > x509.validToDate)
    return `it expired on ${x509.validToDate.toISOString()}, and the time is ${at.toISOString()} (--at TIME judges at another time)`;
  if (unknownCritical.length > 0)
    return `it has extensions that are not judged here: ${unknownCritical.join(', ')}`;
  if (below === 0) return undefined;
  if (!isAuthority) return 'it is no authority';
  if (keyUsage && !keyUsage.keyCertSign) return 'it may not sign certificates';
  if (pathLength !== undefined && below - 1 > pathLength)
    return `it allows ${pathLength} authorities below it, and there are ${below - 1}`;
  return undefined;
}

function same(a: Certificate, b: Certificate): boolean {
  return a.x509.fingerprint512 === b.x509.fingerprint512;
}

function nameOf({ x509 }: Certificate): string {
  return x509.subject.replaceAll('\n', ', ') || 'a certificate without a name';
}
