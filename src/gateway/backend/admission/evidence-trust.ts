import { readFile } from 'node:fs/promises';
import { asGlacisError } from '../../../core/error.ts';
import { type EnvelopeTrust, joinTrust, trustFrom } from '../../../policy/evidence/trust.ts';

/** Keys, certificates and roots from files. Errors: `key/unusable`. */
export async function readTrust(
  files: readonly string[],
  identities: EnvelopeTrust['identities'],
  now: number,
): Promise<EnvelopeTrust> {
  const read = files.map(async (file) => {
    const bytes = await readFile(file).catch((thrown) => {
      throw asGlacisError(thrown, 'key/unusable', file);
    });
    return trustFrom(bytes, file);
  });
  return { ...joinTrust(await Promise.all(read)), identities, at: new Date(now) };
}
