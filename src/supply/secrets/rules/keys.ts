import type { SecretRule } from '../rule.ts';
import { END, prefixed, START, sticky } from './patterns.ts';

const PRIVATE = 'Whoever has it signs, decrypts or logs in as its owner.';

/** Private keys and signed tokens. */
export const KEY_RULES: readonly SecretRule[] = [
  {
    id: 'private-key',
    title: 'Private key',
    severity: 'critical',
    why: PRIVATE,
    // The dashes before it would be an anchor in every Markdown table.
    anchors: ['BEGIN '],
    pattern: sticky(
      String.raw`(?<=-----)BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:(?:\\[rn]|[\s"'+,]){1,16}[A-Za-z-]{3,20}: [^\n\\]{1,100}){0,5}(?<secret>(?:\\[rnt]|[A-Za-z0-9+/=\s"',\\]){64,14000})`,
    ),
    confirm: (secret) => new Set(secret.replace(/\\[rnt]|[\s"',]/g, '')).size > 20,
    source: 'https://www.rfc-editor.org/rfc/rfc7468',
  },
  {
    id: 'putty-key',
    title: 'PuTTY private key',
    severity: 'critical',
    why: PRIVATE,
    anchors: ['Private-Lines:'],
    pattern: sticky(
      String.raw`Private-Lines: \d{1,4}\s{1,4}(?<secret>(?:[A-Za-z0-9+/=]{8,64}[\r\n]{0,2}){1,200})`,
    ),
    entropy: 4,
    source: 'https://tartarus.org/~simon/putty-snapshots/htmldoc/AppendixC.html',
  },
  prefixed(
    'age-key',
    'age secret key',
    ['AGE-SECRET-KEY-'],
    `(?:PQ-)?1[02-9AC-HJ-NP-Z]{58,2000}${END}`,
    'https://age-encryption.org/v1',
    { why: PRIVATE },
  ),
  {
    id: 'jwt',
    title: 'JSON Web Token',
    severity: 'high',
    why: 'Whoever has it is taken for its subject until it expires.',
    anchors: ['eyJ'],
    pattern: sticky(
      `${START}(?<secret>eyJ[A-Za-z0-9_-]{10,2000}\\.eyJ[A-Za-z0-9_-]{10,4000}\\.[A-Za-z0-9_-]{20,1400})(?![A-Za-z0-9_-])`,
    ),
    confirm: isJwt,
    shown: 3,
    source: 'https://www.rfc-editor.org/rfc/rfc7519',
  },
];

/** Whether header and payload are JSON, an algorithm is named, and the payload is not the one of jwt.io's demonstration. */
function isJwt(token: string): boolean {
  const [header, payload] = token.split('.').map((part) => jsonOf(part));
  if (typeof header !== 'object' || header === null || !('alg' in header)) return false;
  if (typeof payload !== 'object' || payload === null) return false;
  return !('sub' in payload && payload.sub === '1234567890');
}

function jsonOf(base64: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64, 'base64url').toString());
  } catch {
    return undefined;
  }
}
