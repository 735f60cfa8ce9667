import { GlacisError } from '../../../core/error.ts';
import type { GivenFile } from '../given-file.ts';
import { runGit } from './run-git.ts';

/** Objects of one repository that are looked at. */
const MAX_OBJECTS = 5_000_000;
/** Versions of files larger than this are named and not looked at. */
const MAX_BYTES = 1 << 27;
/** Where an object is kept that nothing names. */
const LOST = 'lost objects';

interface GitObject {
  readonly id: string;
  readonly kind: string;
  readonly size: number;
}

/**
 * Everything that the Git repository around `folder` keeps, each content once: all versions of all files in branches, tags, the stash
 * and the reflog, objects that nothing leads to any more, and the messages of commits and tags. A version is named by its path
 * and the oldest commit that has it. Read through Git, loose objects and packs alike.
 *
 * Errors: `data/unreadable` (no Git, no repository, damage), `data/too-large` (more than five million objects), `run/cancelled`.
 */
export async function* gitHistory(folder: string, signal?: AbortSignal): AsyncGenerator<GivenFile> {
  const objects = await objectsOf(folder, signal);
  const origins = await originsOf(folder, signal);
  const wanted = objects.filter(({ size }) => size <= MAX_BYTES);
  for (const object of objects) if (object.size > MAX_BYTES) yield tooLarge(object, origins);
  const ids = wanted.map(({ id }) => `${id}\n`);
  const read = contentsOf(runGit(folder, ['cat-file', '--batch', '--buffer'], { input: ids, signal }));
  for (const object of wanted) {
    const { value: content, done } = await read.next();
    if (done || content.id !== object.id)
      throw new GlacisError('data/unreadable', `git cat-file: expected the object ${object.id}`);
    yield { ...nameOf(object, origins), read: async () => content.bytes };
  }
}

function tooLarge(object: GitObject, origins: Origins): GivenFile {
  const name = nameOf(object, origins);
  return {
    ...name,
    async read() {
      throw new GlacisError(
        'data/too-large',
        `${name.path} (${name.from}): expected at most ${MAX_BYTES} bytes, got ${object.size}`,
      );
    },
  };
}

function nameOf(
  { id, kind }: GitObject,
  origins: Origins,
): Pick<GivenFile, 'path' | 'from'> & { from: string } {
  const short = id.slice(0, 12);
  if (kind !== 'blob') return { path: 'messages', from: `${kind} ${short}` };
  const origin = origins.get(id);
  if (origin === undefined) return { path: LOST, from: `object ${short}` };
  return { path: origin.path, from: `commit ${origin.commit.slice(0, 12)}` };
}

/** All objects with text of their own; trees hold names only. */
async function objectsOf(folder: string, signal: AbortSignal | undefined): Promise<readonly GitObject[]> {
  const objects: GitObject[] = [];
  const args = ['cat-file', '--batch-all-objects', '--batch-check=%(objectname) %(objecttype) %(objectsize)'];
  for await (const line of split(runGit(folder, args, { signal }), 0x0a)) {
    const [id = '', kind = '', size = ''] = line.toString().split(' ');
    if (!/^[0-9a-f]{40,64}$/.test(id) || !/^\d+$/.test(size))
      throw new GlacisError('data/unreadable', 'git cat-file: expected a list of objects');
    if (kind === 'tree') continue;
    if (objects.length === MAX_OBJECTS)
      throw new GlacisError('data/too-large', `git: expected at most ${MAX_OBJECTS} objects, got more`);
    objects.push({ id, kind, size: Number(size) });
  }
  return objects;
}

type Origins = ReadonlyMap<string, { readonly commit: string; readonly path: string }>;

/** The oldest commit that has a content, and its path there. */
async function originsOf(folder: string, signal: AbortSignal | undefined): Promise<Origins> {
  const origins = new Map<string, { commit: string; path: string }>();
  const args = [
    ...['log', '--all', '--reflog', '-m', '--root', '--raw', '-z', '--format=commit %H'],
    ...['--no-abbrev', '--no-renames', '--no-ext-diff', '--no-textconv', '--no-color', '--no-show-signature'],
  ];
  let commit = '';
  let added: string | undefined;
  for await (const bytes of split(runGit(folder, args, { signal }), 0)) {
    const text = bytes.toString().replace(/^\n/, '');
    if (added !== undefined) {
      // The newest commit comes first, so the last to be named is the oldest.
      if (!/^0+$/.test(added)) origins.set(added, { commit, path: text });
      added = undefined;
    } else if (text.startsWith('commit ')) commit = text.slice('commit '.length);
    else if (text.startsWith(':')) added = text.split(' ')[3];
  }
  return origins;
}

/** The parts between bytes `mark`. */
async function* split(pieces: AsyncIterable<Buffer>, mark: number): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  for await (const piece of pieces) {
    let from = 0;
    for (let at = piece.indexOf(mark); at >= 0; at = piece.indexOf(mark, from)) {
      yield Buffer.concat([...rest, piece.subarray(from, at)]);
      rest = [];
      from = at + 1;
    }
    if (from < piece.length) rest.push(piece.subarray(from));
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}

/** The objects that `git cat-file --batch` writes: a line `<id> <kind> <size>`, the content, a line feed. */
async function* contentsOf(
  pieces: AsyncIterable<Buffer>,
): AsyncGenerator<{ readonly id: string; readonly bytes: Uint8Array }> {
  let head = Buffer.alloc(0);
  let open: { id: string; bytes: Uint8Array; filled: number } | undefined;
  for await (let piece of pieces) {
    while (piece.length > 0) {
      if (open === undefined) {
        const end = piece.indexOf(0x0a);
        head = Buffer.concat([head, piece.subarray(0, end < 0 ? piece.length : end)]);
        if (end < 0) break;
        const [id = '', , size = ''] = head.toString().split(' ');
        if (!/^\d+$/.test(size) || Number(size) > MAX_BYTES)
          throw new GlacisError('data/unreadable', `git cat-file: ${head.toString().slice(0, 100)}`);
        open = { id, bytes: new Uint8Array(Number(size) + 1), filled: 0 };
        head = Buffer.alloc(0);
        piece = piece.subarray(end + 1);
      }
      const taken = piece.subarray(0, open.bytes.length - open.filled);
      open.bytes.set(taken, open.filled);
      open.filled += taken.length;
      piece = piece.subarray(taken.length);
      if (open.filled < open.bytes.length) continue;
      yield { id: open.id, bytes: open.bytes.subarray(0, -1) };
      open = undefined;
    }
  }
  if (open !== undefined)
    throw new GlacisError('data/unreadable', 'git cat-file: expected more of an object');
}
