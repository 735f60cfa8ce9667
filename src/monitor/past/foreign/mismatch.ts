import { GlacisError } from '../../../core/error.ts';

/** What is wrong with a line; who reads the file says which. */
export function mismatch(what: string, cause?: unknown): GlacisError {
  return new GlacisError('data/mismatch', what, cause === undefined ? undefined : { cause });
}

/** Gives what `read` gives; its errors are `data/mismatch` then, with `where` before what they say. */
export function asMismatch<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof GlacisError) throw mismatch(`${where}${thrown.message}`, thrown);
    throw thrown;
  }
}
