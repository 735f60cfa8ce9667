import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, mkdir, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { asGlacisError, GlacisError } from '../core/error.ts';

const SECRET_BYTES = 32;

/** Where a gateway keeps what is its own. */
export interface DataFolder {
  readonly path: string;
  /** Random bytes that everything keyed is derived from; the same for all gateways that share a store. */
  readonly secret: Uint8Array;
  /** Whether the secret was made now: nobody has been here before. */
  readonly isNew: boolean;
}

/**
 * Opens the folder, for its owner alone, and makes its secret at the first start. A secret that others may read is refused: whoever has it can make keys.
 * Errors: `output/unwritable`, `option/invalid`.
 */
export async function openDataFolder(path: string, secretFile = join(path, 'secret')): Promise<DataFolder> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await chmod(path, 0o700);
    const made = await makeSecret(secretFile);
    if (made !== undefined) return { path, secret: made, isNew: true };
    return { path, secret: await readSecret(secretFile), isNew: false };
  } catch (thrown) {
    throw asGlacisError(thrown, 'output/unwritable', path);
  }
}

/** Undefined where there is one. */
async function makeSecret(file: string): Promise<Uint8Array | undefined> {
  const secret = randomBytes(SECRET_BYTES);
  try {
    const handle = await open(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      await handle.writeFile(`${secret.toString('hex')}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    return secret;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw thrown;
  }
}

async function readSecret(file: string): Promise<Uint8Array> {
  const { mode, size } = await stat(file);
  // A group may read it: that is how orchestrators hand secrets over.
  const others = process.platform === 'win32' ? 0 : mode & 0o037;
  if (others !== 0)
    throw new GlacisError(
      'option/invalid',
      `${file}: expected a file that nobody but its owner and group can read, got mode ${(mode & 0o777).toString(8)}; chmod 600 it, and make a new one if others may have read it`,
    );
  const handle = await open(file, 'r');
  try {
    const text = size <= 200 ? (await handle.readFile('utf8')).trim() : '';
    if (!/^[0-9a-f]{64}$/.test(text))
      throw new GlacisError('option/invalid', `${file}: expected 64 hexadecimal digits, got something else`);
    return Buffer.from(text, 'hex');
  } finally {
    await handle.close();
  }
}
