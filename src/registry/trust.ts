import { z } from 'zod';
import { GlacisError } from '../core/error.ts';
import type { LogTrust } from '../ledger/checkpoint.ts';
import { parseVerifierKey } from '../ledger/note-key.ts';
import { isDigest } from './names.ts';

/** Bytes of a trust file at most. */
const MOST_TRUST_BYTES = 1 << 16;

const shape = z.strictObject({
  schema: z.literal('glacis.registry.trust/1'),
  origin: z.string().min(1).max(200),
  /** The log's keys, as verifiers take them. */
  keys: z.array(z.string().max(8192)).min(1).max(8),
  /** Digest of the event that began the registry: it names the approvers. */
  genesis: z.string().refine(isDigest, 'expected sha256: and 64 hexadecimal digits'),
});

/** All that must be known of a registry beforehand to check everything else about it. Nothing in it is secret. */
export type Trust = z.infer<typeof shape>;

/** Reads a trust file. Errors: `registry/invalid`. */
export function parseTrust(bytes: Uint8Array, where: string): Trust {
  try {
    if (bytes.length > MOST_TRUST_BYTES) throw new Error(`expected at most ${MOST_TRUST_BYTES} bytes`);
    const trust = shape.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    trust.keys.forEach(parseVerifierKey);
    return trust;
  } catch (cause) {
    throw new GlacisError(
      'registry/invalid',
      `${where}: expected a registry's trust file (glacis registry init writes one)`,
      {
        cause,
      },
    );
  }
}

/** The text of a trust file. */
export function formatTrust(trust: Trust): string {
  return `${JSON.stringify(trust, null, 2)}\n`;
}

/** Whom a reader of the registry's log believes. */
export function logTrustOf({ origin, keys }: Trust): LogTrust {
  return { origin, keys: keys.map(parseVerifierKey) };
}
