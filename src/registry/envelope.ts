import { createHash, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { GlacisError } from '../core/error.ts';
import { preAuthEncoding } from '../supply/sign/dsse.ts';
import { EVENT_TYPE, type Party } from './event.ts';
import { keyIdOf, publicKeyFromText, signBytes, verifyBytes } from './party-key.ts';

/** Signatures of an entry at most: 16 parties with four keys each. */
const MOST_SIGNATURES = 64;

const shape = z.strictObject({
  payloadType: z.literal(EVENT_TYPE),
  payload: z.base64(),
  signatures: z
    .array(z.strictObject({ keyid: z.string().regex(/^[0-9a-f]{64}$/), sig: z.base64() }))
    .min(1)
    .max(MOST_SIGNATURES),
});

/** An entry of the registry's log: an event and who signed it. Nothing in it is verified yet. */
export interface SignedEvent {
  readonly payload: Uint8Array;
  readonly signatures: readonly { readonly keyId: string; readonly bytes: Uint8Array }[];
}

/**
 * Reads an entry: a DSSE envelope in JSON.
 *
 * @param entry attacker-controlled
 * @throws GlacisError `registry/invalid`
 */
export function parseEnvelope(entry: Uint8Array, where: string): SignedEvent {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(entry).toString('utf8'));
  } catch (cause) {
    throw new GlacisError('registry/invalid', `${where}: expected an envelope in JSON`, { cause });
  }
  const read = shape.safeParse(json);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new GlacisError(
      'registry/invalid',
      `${where}: ${issue?.path.join('.') || 'envelope'}: ${issue?.message ?? 'expected an envelope'}`,
    );
  }
  return {
    payload: Buffer.from(read.data.payload, 'base64'),
    signatures: read.data.signatures.map(({ keyid, sig }) => ({
      keyId: keyid,
      bytes: Buffer.from(sig, 'base64'),
    })),
  };
}

/** Signs a payload with each of `keys`; gives the entry for the log. */
export function signEnvelope(payload: Uint8Array, keys: readonly KeyObject[]): Uint8Array {
  const message = preAuthEncoding(EVENT_TYPE, payload);
  return Buffer.from(
    JSON.stringify({
      payloadType: EVENT_TYPE,
      payload: Buffer.from(payload).toString('base64'),
      signatures: keys.map((key) => ({
        keyid: keyIdOf(key),
        sig: Buffer.from(signBytes(key, message)).toString('base64'),
      })),
    }),
  );
}

/**
 * The parties that signed: those *all* of whose keys have a right signature here. So whoever has a second key of another algorithm
 * cannot be spoken for by who breaks the first.
 */
export function signersOf(
  { payload, signatures }: SignedEvent,
  parties: readonly Party[],
): readonly string[] {
  const message = preAuthEncoding(EVENT_TYPE, payload);
  const signed = (text: string): boolean => {
    const key = publicKeyFromText(text, 'key of a party');
    const id = keyIdOf(key);
    return signatures.some(({ keyId, bytes }) => keyId === id && verifyBytes(key, message, bytes));
  };
  return parties.filter(({ keys }) => keys.every(signed)).map(({ name }) => name);
}

/** `sha256:` and the digest of some bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
