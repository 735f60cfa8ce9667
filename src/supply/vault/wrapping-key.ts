import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { asGlacisError, GlacisError } from '../../core/error.ts';

/**
 * A key that wraps data keys, wherever it lives: in a file, in a token, behind a service. This is all that a plug-in has to give.
 */
export interface WrappingKey {
  /** Names the key and its version, without telling it: stored beside what it wraps. At most 200 characters. */
  readonly id: string;
  /** Encrypts a data key of 32 bytes, bound to `context` (associated data of at most 1 KiB). Gives at most 4 KiB. */
  wrap(dataKey: Uint8Array, context: Uint8Array): Promise<Uint8Array>;
  /** Gives the data key back, and fails for bytes or a context that are not those that were wrapped. */
  unwrap(wrapped: Uint8Array, context: Uint8Array): Promise<Uint8Array>;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const LABEL = Buffer.from('glacis data key v1\0');
/** A key file has 32 bytes, or their 64 hexadecimal digits, or base64. */
const MOST_FILE_BYTES = 1024;

/**
 * A wrapping key of 32 bytes in memory. Wraps with AES-256-GCM under a random nonce: safe for 2³² data keys (NIST SP 800-38D, 8.3).
 * Errors: `vault/key`.
 */
export function localKey(key: Uint8Array): WrappingKey {
  if (key.length !== 32)
    throw new GlacisError(
      'vault/key',
      `wrapping key: expected 32 bytes, got ${key.length} (openssl rand -hex 32)`,
    );
  const secret = Buffer.from(key);
  const id = `local:${createHash('sha256').update('glacis wrapping key id v1\0').update(secret).digest('hex').slice(0, 32)}`;
  return {
    id,
    async wrap(dataKey, context) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', secret, nonce);
      cipher.setAAD(Buffer.concat([LABEL, context]));
      return Buffer.concat([nonce, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
    },
    async unwrap(wrapped, context) {
      if (wrapped.length <= NONCE_BYTES + TAG_BYTES) throw unopened(id);
      const end = wrapped.length - TAG_BYTES;
      const decipher = createDecipheriv('aes-256-gcm', secret, wrapped.subarray(0, NONCE_BYTES));
      decipher.setAAD(Buffer.concat([LABEL, context]));
      decipher.setAuthTag(wrapped.subarray(end));
      try {
        return Buffer.concat([decipher.update(wrapped.subarray(NONCE_BYTES, end)), decipher.final()]);
      } catch {
        throw unopened(id);
      }
    },
  };
}

/**
 * Opens the wrapping key that a text names: `file:PATH`, `env:NAME`, a `pkcs11:` URI (with the package `pkcs11js`, which compiles and is not
 * installed with Glacis), or `plugin:PATH[?ARGUMENT]`, a JavaScript module with a function
 * `openKey(argument)` that gives a {@link WrappingKey}. A plug-in runs with all rights of this process: name only your own.
 * Errors: `vault/key`, `option/invalid`, `signing/unavailable` without the package.
 */
export async function openWrappingKey(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<WrappingKey> {
  const [, scheme = '', rest = ''] = /^([a-z0-9]+):([\s\S]+)$/.exec(text) ?? [];
  if (scheme === 'file') return localKey(bytesOf(await keyFile(rest), `wrapping key ${rest}`));
  if (scheme === 'env') {
    const value = env[rest];
    if (value === undefined || value === '')
      throw new GlacisError(
        'vault/key',
        `wrapping key: expected the environment variable ${rest}, but it is not set`,
      );
    return localKey(bytesOf(Buffer.from(value), `wrapping key in ${rest}`));
  }
  if (scheme === 'pkcs11') {
    const [{ loadPkcs11 }, { pkcs11Key }] = await Promise.all([
      import('../sign/pkcs11.ts'),
      import('./pkcs11-key.ts'),
    ]);
    return pkcs11Key(text, await loadPkcs11(), env);
  }
  if (scheme === 'plugin') return pluginKey(rest);
  throw new GlacisError(
    'option/invalid',
    `wrapping key: expected file:PATH, env:NAME, pkcs11:… or plugin:PATH, got '${text.slice(0, 20)}'`,
  );
}

async function keyFile(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > MOST_FILE_BYTES) throw new Error(`expected at most ${MOST_FILE_BYTES} bytes, got ${size}`);
    return await readFile(path);
  } catch (thrown) {
    throw asGlacisError(thrown, 'vault/key', `wrapping key ${path}`);
  }
}

/** The 32 bytes that a key file or variable holds, raw or as text. The message never repeats any of it. */
function bytesOf(content: Uint8Array, where: string): Uint8Array {
  if (content.length === 32) return content;
  const text = Buffer.from(content).toString('latin1').trim();
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  const decoded = Buffer.from(text, 'base64');
  if (decoded.length === 32 && decoded.toString('base64') === text) return decoded;
  throw new GlacisError(
    'vault/key',
    `${where}: expected 32 bytes, raw, as 64 hexadecimal digits or in base64 (openssl rand -hex 32)`,
  );
}

async function pluginKey(rest: string): Promise<WrappingKey> {
  const split = rest.indexOf('?');
  const [path, argument] = split < 0 ? [rest, ''] : [rest.slice(0, split), rest.slice(split + 1)];
  const where = `key plug-in ${path}`;
  let key: Partial<WrappingKey> | undefined;
  try {
    const module = (await import(pathToFileURL(resolve(path)).href)) as { openKey?: unknown };
    if (typeof module.openKey !== 'function') throw new Error('expected it to export a function openKey');
    key = (await module.openKey(argument)) as Partial<WrappingKey>;
  } catch (thrown) {
    throw asGlacisError(thrown, 'vault/key', where);
  }
  const { id, wrap, unwrap } = key ?? {};
  if (
    typeof id !== 'string' ||
    id === '' ||
    id.length > 200 ||
    typeof wrap !== 'function' ||
    typeof unwrap !== 'function'
  )
    throw new GlacisError(
      'vault/key',
      `${where}: expected openKey to give an id and the functions wrap and unwrap`,
    );
  const call = async (work: () => Promise<Uint8Array>): Promise<Uint8Array> => {
    const bytes = await work().catch((thrown) => {
      throw asGlacisError(thrown, 'vault/key', where);
    });
    if (!(bytes instanceof Uint8Array) || bytes.length > 4096)
      throw new GlacisError('vault/key', `${where}: expected at most 4,096 bytes`);
    return bytes;
  };
  return {
    id,
    wrap: (dataKey, context) => call(() => wrap.call(key, dataKey, context)),
    unwrap: (wrapped, context) => call(() => unwrap.call(key, wrapped, context)),
  };
}

function unopened(id: string): GlacisError {
  return new GlacisError(
    'vault/unreadable',
    `data key: expected one that ${id} wrapped for this blob; it was changed, belongs to another blob, or to another key`,
  );
}
