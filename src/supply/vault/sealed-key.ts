import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { DATA_KEY_BYTES } from './seal.ts';
import type { WrappingKey } from './wrapping-key.ts';

/** Bytes of a key record at most. */
export const MOST_RECORD_BYTES = 16 << 10;

const blob = z.strictObject({ digest: z.string().regex(/^sha256:[0-9a-f]{64}$/), size: z.int().min(0) });
const shape = z.strictObject({
  schema: z.literal('glacis.sealed-key/1'),
  plain: blob,
  stored: blob,
  keyId: z.string().min(1).max(200),
  wrapped: z.base64().max(8192),
});

/** A data key under a wrapping key, and the blob that it opens. */
export type SealedKey = z.infer<typeof shape>;

/** Wraps a data key for one sealed blob; both digests are bound, so that the record fits no other. Errors: `vault/key`. */
export async function sealKey(
  key: WrappingKey,
  dataKey: Uint8Array,
  blobs: Pick<SealedKey, 'plain' | 'stored'>,
): Promise<SealedKey> {
  const { plain, stored } = blobs;
  const wrapped = await key.wrap(dataKey, contextOf(blobs));
  return {
    schema: 'glacis.sealed-key/1',
    plain,
    stored,
    keyId: key.id,
    wrapped: Buffer.from(wrapped).toString('base64'),
  };
}

/**
 * The data key of a record.
 * @param record attacker-controlled
 * @throws GlacisError `vault/key` for another wrapping key; `vault/unreadable`
 */
export async function openKey(key: WrappingKey, record: SealedKey): Promise<Uint8Array> {
  if (record.keyId !== key.id)
    throw new GlacisError(
      'vault/key',
      `data key of ${record.plain.digest}: expected the wrapping key ${record.keyId}, got ${key.id}`,
    );
  const dataKey = await key.unwrap(Buffer.from(record.wrapped, 'base64'), contextOf(record));
  if (dataKey.length !== DATA_KEY_BYTES)
    throw new GlacisError(
      'vault/unreadable',
      `data key: expected ${DATA_KEY_BYTES} bytes, got ${dataKey.length}`,
    );
  return dataKey;
}

/**
 * The same data key under another wrapping key: how keys are rotated without touching blobs. A record that has the new key already stays as
 * it is. Errors: those of {@link openKey}.
 */
export async function rewrapKey(from: WrappingKey, to: WrappingKey, record: SealedKey): Promise<SealedKey> {
  return record.keyId === to.id ? record : sealKey(to, await openKey(from, record), record);
}

/** Reads a record. `bytes` are attacker-controlled. Errors: `vault/unreadable`. */
export function parseSealedKey(bytes: Uint8Array, where: string): SealedKey {
  try {
    return shape.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (cause) {
    throw new GlacisError('vault/unreadable', `${where}: expected the record of a wrapped data key`, {
      cause,
    });
  }
}

function contextOf({ plain, stored }: Pick<SealedKey, 'plain' | 'stored'>): Uint8Array {
  return Buffer.from(`${plain.digest} ${plain.size} ${stored.digest} ${stored.size}`);
}
