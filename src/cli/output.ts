import { access, constants, mkdir, stat } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { writeAtomically } from '../data/atomic-write.ts';

/** Makes `folder` where it is missing and checks that files can be written into it. Errors: `output/unwritable`. */
export async function prepareFolder(folder: string): Promise<void> {
  try {
    await makeFolders(resolve(folder));
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (thrown) {
    throw new GlacisError(
      'output/unwritable',
      `${folder}: expected a folder that can be written: ${asGlacisError(thrown, 'output/unwritable', 'cannot').message}`,
      { cause: thrown },
    );
  }
}

/**
 * Makes a folder and those above it that are missing. Not `mkdir` with `recursive`, which never comes back where the system
 * denies that a folder exists whose parent it has just shown (`/proc/x` on Linux).
 */
async function makeFolders(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return;
  if (found) throw new Error('a file is in its place');
  if (dirname(folder) !== folder) await makeFolders(dirname(folder));
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

/** Checks that a file at `path` could be written, before the work starts. Errors: `output/unwritable`. */
export async function prepareFile(path: string): Promise<void> {
  await prepareFolder(dirname(path));
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory())
    throw new GlacisError('output/unwritable', `${path}: expected a file, got a folder`);
}

/** Writes a text file as a whole or not at all; with `mode`, with these rights. Errors: `output/unwritable`. */
export async function writeText(
  path: string,
  text: string,
  options: { readonly mode?: number } = {},
): Promise<void> {
  await writeAtomically(path, (write) => write(Buffer.from(text)), options);
}

/** How a result in the file `json` names the files in `folder`: a relative path with a slash at its end, or nothing. */
export function folderPrefix(json: string, folder: string): string {
  const path = relative(dirname(resolve(json)), resolve(folder)).replaceAll('\\', '/');
  return path === '' ? '' : `${path}/`;
}
