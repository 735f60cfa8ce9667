import { lstat, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { GlacisError } from '../../core/error.ts';

/**
 * Takes away the file of a Unix socket on which nobody listens any more: a process that was killed leaves it, and the next could not listen there. Anything else
 * stays: a socket that somebody listens on, or of which that cannot be told, and files of other kinds. Errors: `option/invalid` for those.
 */
export async function removeLeftSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket())
    throw new GlacisError(
      'option/invalid',
      `management: expected ${path} to be a socket, got a file of another kind`,
    );
  if (!(await isLeft(path)))
    throw new GlacisError(
      'option/invalid',
      `management: expected a socket that nobody listens on, got ${path}, which another process has`,
    );
  await rm(path, { force: true });
}

/** Whether a socket refuses connections, as only one that has no process does. */
function isLeft(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code === 'ECONNREFUSED' || code === 'ENOENT'),
    );
  });
}
