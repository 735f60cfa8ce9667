import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { type Policy, parsePolicy } from './read-policy.ts';

/** A policy file past this size is refused before it is read. */
const MOST_BYTES = 1 << 20;

/** The text of a `glacis.yaml`, and the bytes that it was read from. Errors: `policy/invalid` (too large, not UTF-8, unreadable). */
export async function readPolicyText(
  path: string,
): Promise<{ readonly bytes: Uint8Array; readonly text: string }> {
  try {
    const { size } = await stat(path);
    if (size > MOST_BYTES)
      throw new GlacisError('policy/invalid', `${path}: expected at most ${MOST_BYTES} bytes, got ${size}`);
    const bytes = await readFile(path);
    return { bytes, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (thrown) {
    throw asGlacisError(thrown, 'policy/invalid', path);
  }
}

/** A policy, the bytes that it was read from, and their digest. Errors: `policy/invalid`. */
export async function readPolicyFile(
  path: string,
): Promise<{ readonly policy: Policy; readonly bytes: Uint8Array; readonly digest: string }> {
  const { bytes, text } = await readPolicyText(path);
  return {
    bytes,
    policy: parsePolicy(text, path),
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
  };
}
