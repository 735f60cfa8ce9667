import type { GivenFile } from '../given-file.ts';
import { gitOutput } from './run-git.ts';

/** Bytes of one staged file, and of the list of them, that are taken into memory. */
const MAX_BYTES = 1 << 30;

/**
 * The files that are staged in the Git repository around `folder`, as they are about to be committed: added, copied, changed or renamed
 * ones, with paths as seen from its top. Errors: `data/unreadable` where there is no Git or no repository.
 */
export async function stagedFiles(folder: string, signal?: AbortSignal): Promise<readonly GivenFile[]> {
  const run = { asInHook: true, signal };
  const names = await gitOutput(
    folder,
    [
      'diff',
      '--cached',
      '--name-only',
      '-z',
      '--diff-filter=ACMRT',
      '--no-ext-diff',
      '--no-renames',
      '--ignore-submodules',
    ],
    MAX_BYTES,
    run,
  );
  return names
    .toString()
    .split('\0')
    .filter((path) => path !== '')
    .map((path) => ({
      path,
      read: () => gitOutput(folder, ['cat-file', 'blob', `:${path}`], MAX_BYTES, run),
    }));
}
