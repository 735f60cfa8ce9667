import { readFile } from 'node:fs/promises';
import { asGlacisError, GlacisError } from '../../../core/error.ts';
import type { HeldModel } from './held-model.ts';

/**
 * Reads a list of digests that must not be served: `sha256:…` at the start of a line, whatever follows it is the reason; `#` begins a remark.
 * Errors: `option/invalid` for a file that cannot be read or a line that says something else: nothing is served on half a list.
 */
export async function readRevoked(file: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(file, 'utf8').catch((thrown) => {
    throw asGlacisError(thrown, 'option/invalid', file);
  });
  const revoked = new Map<string, string>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const [, digest, reason = ''] = /^\s*(sha256:[0-9a-f]{64})(?:\s+(.*))?$/.exec(line) ?? [];
    if (digest === undefined)
      throw new GlacisError('option/invalid', `${file}:${i + 1}: expected a digest such as sha256:9f86d0…`);
    revoked.set(digest, reason.trim());
  }
  return revoked;
}

/** Why a model must not be served, by its root digest or that of one of its files. */
export function revocationIn(
  revoked: ReadonlyMap<string, string>,
  { root, files }: Pick<HeldModel, 'root'> & { readonly files: readonly { readonly digest: string }[] },
): string | undefined {
  for (const digest of [root, ...files.map((file) => `sha256:${file.digest}`)]) {
    const reason = revoked.get(digest);
    if (reason !== undefined) return `${digest} is revoked${reason && `: ${reason}`}`;
  }
  return undefined;
}
