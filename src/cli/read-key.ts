import { readFile } from 'node:fs/promises';
import { asGlacisError } from '../core/error.ts';

/** The bytes of a file with a key, a certificate or whom to trust. Errors: `key/unusable`. */
export async function readKey(path: string): Promise<Uint8Array> {
  return readFile(path).catch((thrown: unknown) => {
    throw asGlacisError(thrown, 'key/unusable', path);
  });
}
