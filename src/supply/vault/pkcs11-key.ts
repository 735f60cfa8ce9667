import { randomBytes } from 'node:crypto';
import { GlacisError } from '../../core/error.ts';
import { findOne, openToken, type Pkcs11Package } from '../sign/pkcs11.ts';
import { parsePkcs11Uri } from '../sign/pkcs11-uri.ts';
import type { WrappingKey } from './wrapping-key.ts';

const CKO_SECRET_KEY = 4;
const CKM_AES_GCM = 0x1087;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * A wrapping key that never leaves its token: an AES key that `uri` (RFC 7512) chooses, used with AES-GCM there. The token is opened for each
 * use and closed again. Its id is the URI's object or id with the token's name, so keep those apart.
 * Errors: `vault/key` when the token refuses, `vault/unreadable` for a wrapped key that is not its own, those of opening a token.
 */
export function pkcs11Key(
  text: string,
  pkcs11js: Pkcs11Package,
  env: Readonly<Record<string, string | undefined>>,
): WrappingKey {
  const uri = parsePkcs11Uri(text);
  const name = uri.object ?? Buffer.from(uri.id ?? []).toString('hex');
  const id = `pkcs11:${uri.token ?? uri.serial ?? uri.slotId ?? ''}:${name}`.slice(0, 200);
  const gcm = (iv: Uint8Array, context: Uint8Array) => ({
    mechanism: CKM_AES_GCM,
    parameter: {
      type: pkcs11js.CK_PARAMS_AES_GCM,
      iv: Buffer.from(iv),
      aad: Buffer.concat([Buffer.from('glacis data key v1\0'), context]),
      tagBits: 8 * TAG_BYTES,
    },
  });
  const onToken = async <T>(
    use: (token: Awaited<ReturnType<typeof openToken>>, key: Buffer) => T,
  ): Promise<T> => {
    const token = await openToken(uri, pkcs11js, env);
    try {
      return use(token, findOne(token.module, token.session, CKO_SECRET_KEY, uri));
    } finally {
      token.close();
    }
  };
  return {
    id,
    wrap: (dataKey, context) =>
      onToken(({ module, session }, key) => {
        const iv = randomBytes(NONCE_BYTES);
        try {
          module.C_EncryptInit(session, gcm(iv, context), key);
          const out = Buffer.alloc(dataKey.length + TAG_BYTES + 16);
          return Buffer.concat([iv, module.C_Encrypt(session, Buffer.from(dataKey), out)]);
        } catch (cause) {
          throw new GlacisError(
            'vault/key',
            `${id}: expected a token that encrypts with AES-GCM, but it refuses`,
            { cause },
          );
        }
      }),
    unwrap: (wrapped, context) =>
      onToken(({ module, session }, key) => {
        try {
          module.C_DecryptInit(session, gcm(wrapped.subarray(0, NONCE_BYTES), context), key);
          return module.C_Decrypt(
            session,
            Buffer.from(wrapped.subarray(NONCE_BYTES)),
            Buffer.alloc(wrapped.length + 16),
          );
        } catch (cause) {
          throw new GlacisError(
            'vault/unreadable',
            `data key: expected one that ${id} wrapped for this blob`,
            { cause },
          );
        }
      }),
  };
}
