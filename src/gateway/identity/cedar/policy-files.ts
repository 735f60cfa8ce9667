import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { asGlacisError, GlacisError } from '../../../core/error.ts';

/** A text with policies, and how an error calls it. */
export interface PolicyText {
  readonly name: string;
  readonly text: string;
}

const MOST_FILES = 256;
const MOST_BYTES = 1 << 20;

/**
 * Reads policy files: each path is a file, or a folder whose files `*.cedar` are read in the order of their names.
 * Errors: `policy/invalid` for what is not there, is too much, is not UTF-8, or a folder without policies.
 */
export async function readPolicyFiles(paths: readonly string[]): Promise<readonly PolicyText[]> {
  const files: string[] = [];
  for (const path of paths) files.push(...(await filesAt(path)));
  if (files.length > MOST_FILES)
    throw new GlacisError(
      'policy/invalid',
      `policies: expected at most ${MOST_FILES} files, got ${files.length}`,
    );
  return Promise.all(files.map(readText));
}

async function filesAt(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter((name) => name.endsWith('.cedar') && !name.startsWith('.'));
    if (names.length === 0)
      throw new GlacisError('policy/invalid', `${path}: expected files *.cedar in this folder, got none`);
    return names.sort().map((name) => join(path, name));
  } catch (thrown) {
    throw asGlacisError(thrown, 'policy/invalid', path);
  }
}

async function readText(path: string): Promise<PolicyText> {
  try {
    const file = await open(path);
    try {
      const bytes = Buffer.alloc(MOST_BYTES + 1);
      let size = 0;
      for (;;) {
        const { bytesRead } = await file.read(bytes, size, bytes.length - size, null);
        if (bytesRead === 0) break;
        size += bytesRead;
        if (size > MOST_BYTES)
          throw new GlacisError('policy/invalid', `${path}: expected at most ${MOST_BYTES} bytes, got more`);
      }
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, size));
      return { name: basename(path), text };
    } finally {
      await file.close();
    }
  } catch (thrown) {
    throw asGlacisError(thrown, 'policy/invalid', path);
  }
}
