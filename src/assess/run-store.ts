import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { differences } from '../core/differences.ts';
import { GlacisError } from '../core/error.ts';
import { openFile } from '../data/byte-source.ts';
import { type NpyArray, writeAtomically, writeNpz } from '../data/index.ts';
import { openNpz } from '../data/npz.ts';

/** Everything that a result depends on; an interrupted run is taken up only by one with the same. */
export type RunIdentity = Readonly<Record<string, unknown>>;

/** What a stored run is read from. */
export interface StoredArrays {
  /** An array by its name, of `length` where given. Errors: `result/invalid`. */
  read(key: string, length?: number): Promise<NpyArray['data']>;
  /** The error for something that does not fit. */
  damaged(): GlacisError;
}

/** One interrupted run in one folder; `Rest` is what is kept of it beside arrays, as plain JSON. */
interface RunStore<Rest extends object> {
  /** Hands over what was saved last; `false` where nothing was. Errors: `option/invalid` for another run, `result/invalid`, those of `fill`. */
  restore(fill: (rest: Rest, arrays: StoredArrays) => Promise<void>): Promise<boolean>;
  /** Replaces what is in the folder, as a whole or not at all. Errors: `output/unwritable`. */
  save(rest: Rest, arrays: Readonly<Record<string, NpyArray>>): Promise<void>;
  /** Removes it, once the results are written. */
  clear(): Promise<void>;
}

/** An array of one axis. */
export const flat = (data: NpyArray['data']): NpyArray => ({ data, shape: [data.length] });

/**
 * A store in `folder`: an index (`NAME.json`) and the arrays (`NAME-a.npz`, `NAME-b.npz` in turns, so that the index always names a whole one), whose
 * digest the index holds.
 */
export function runStoreIn<Rest extends object>(
  folder: string,
  { name, schema }: { readonly name: string; readonly schema: string },
  identity: RunIdentity,
): RunStore<Rest> {
  const path = join(folder, `${name}.json`);
  const files = [`${name}-a.npz`, `${name}-b.npz`] as const;
  const damaged = () =>
    new GlacisError(
      'result/invalid',
      `${path}: expected a checkpoint of this version, got something else; start again without --resume`,
    );
  let turn = 0;
  return {
    async restore(fill) {
      const stored = await indexIn<Rest>(path, damaged);
      if (!stored) return false;
      const at = files.indexOf(stored.data as (typeof files)[number]);
      if (stored.schema !== schema || at < 0) throw damaged();
      const differing = differences(stored.identity, identity);
      if (differing.length > 0)
        throw new GlacisError(
          'option/invalid',
          `--resume: expected the run that left ${path}, got another one (${differing.join(', ')} differ); give the same options, or another --out`,
        );
      await readArrays(join(folder, files[at]!), stored.digest, damaged, (arrays) => fill(stored, arrays));
      turn = 1 - at;
      return true;
    },
    async save(rest, arrays) {
      const data = files[turn]!;
      await writeNpz(join(folder, data), arrays);
      const digest = digestOf(await readFile(join(folder, data)));
      const index: Index<Rest> = { schema, identity, data, digest, ...rest };
      await writeAtomically(path, (write) => write(Buffer.from(JSON.stringify(index))));
      turn = 1 - turn;
    },
    async clear() {
      for (const each of [path, ...files.map((file) => join(folder, file))]) await rm(each, { force: true });
    },
  };
}

type Index<Rest> = Rest & {
  readonly schema: string;
  readonly identity: RunIdentity;
  readonly data: string;
  readonly digest: string;
};

async function indexIn<Rest>(path: string, damaged: () => GlacisError): Promise<Index<Rest> | undefined> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new GlacisError('result/invalid', `${path}: cannot be read: ${cause.message}`, { cause });
  });
  if (text === undefined) return undefined;
  try {
    const stored = JSON.parse(text) as Index<Rest> | null;
    if (typeof stored === 'object' && stored !== null) return stored;
  } catch {
    // Said below.
  }
  throw damaged();
}

async function readArrays(
  path: string,
  digest: string,
  damaged: () => GlacisError,
  use: (arrays: StoredArrays) => Promise<void>,
): Promise<void> {
  const bytes = await readFile(path).catch(() => undefined);
  // Sound because the digest is checked: these are the bytes that `save` wrote, so keys and types are as it wrote them.
  if (!bytes || digestOf(bytes) !== digest) throw damaged();
  const source = await openFile(path);
  try {
    await use({
      damaged,
      async read(key, length) {
        const { arrays } = await openNpz(source, [key], path, bytes.length);
        const array = arrays[0];
        if (!array || (length !== undefined && array.shape[0] !== length)) throw damaged();
        return (await array.read(0, array.shape[0]!)) as NpyArray['data'];
      },
    });
  } finally {
    await source.close();
  }
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
