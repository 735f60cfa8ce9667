import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { asGlacisError, GlacisError } from '../../../../core/error.ts';

/**
 * The files of a trace in the order in which Triton wrote them: `trace.json.0`, `trace.json.1` and so on (with `log-frequency`, or when `count` is reached), and `trace.json` itself, each of which may have been packed (`.gz`). A name that is one of the files is that file alone. Errors: `data/unreadable`
 * where there is none.
 */
export async function traceFiles(path: string): Promise<readonly string[]> {
  const folder = dirname(path);
  const own = basename(path);
  const names = await readdir(folder).catch((thrown) => {
    throw asGlacisError(thrown, 'data/unreadable', folder);
  });
  const indexed = names
    .filter((name) => name.startsWith(`${own}.`))
    .map((name) => ({ name, index: /^\.(\d{1,9})(?:\.gz)?$/.exec(name.slice(own.length))?.[1] }))
    .filter(({ index }) => index !== undefined)
    .sort((a, b) => Number(a.index) - Number(b.index))
    .map(({ name }) => name);
  const found = [...indexed, ...names.filter((name) => name === own)];
  if (found.length === 0)
    throw new GlacisError(
      'data/unreadable',
      `${path}: expected a trace file, or some whose names are this one with .0, .1 and so on, got none`,
    );
  return found.map((name) => join(folder, name));
}
