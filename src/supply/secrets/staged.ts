import { execFile } from 'node:child_process';
import { GlacisError } from '../../core/error.ts';

/** A file as Git is about to commit it. */
export interface StagedFile {
  readonly path: string;
  /** Its bytes in the index, which need not be those on the disk. */
  read(): Promise<Uint8Array>;
}

/** Bytes of one staged file that are taken into memory. */
const MAX_BYTES = 1 << 30;

/**
 * The files that are staged in the Git repository around `folder`: added, copied, changed or renamed ones, with paths as seen
 * from its top. Errors: `data/unreadable` where there is no Git or no repository.
 */
export async function stagedFiles(folder: string, signal?: AbortSignal): Promise<readonly StagedFile[]> {
  const names = await git(
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
    signal,
  );
  return names
    .toString()
    .split('\0')
    .filter((path) => path !== '')
    .map((path) => ({ path, read: () => git(folder, ['cat-file', 'blob', `:${path}`], signal) }));
}

function git(folder: string, args: readonly string[], signal?: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { cwd: folder, encoding: 'buffer', maxBuffer: MAX_BYTES, signal } as const;
    execFile('git', [...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else if (signal?.aborted)
        reject(new GlacisError('run/cancelled', 'secrets: cancelled', { cause: error }));
      else {
        const reason = stderr.toString().trim().split('\n')[0] || error.message;
        reject(new GlacisError('data/unreadable', `git ${args[0]}: ${reason}`, { cause: error }));
      }
    });
  });
}
