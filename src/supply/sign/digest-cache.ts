import { readFileSync } from 'node:fs';
import { GlacisError } from '../../core/error.ts';
import { writeAtomically } from '../../data/atomic-write.ts';
import type { Piece } from './hash-piece.ts';
import { type HashOptions, hashPieces } from './hash-pieces.ts';

/** Digests that were computed before. */
export interface DigestCache {
  /** As {@link hashPieces}, without reading what is remembered; what is new is written at the end, also where that is an error. */
  hash(pieces: readonly Piece[], options: HashOptions): Promise<readonly string[]>;
}

const SCHEMA = 'glacis.digest-cache/1';

/** A file that changed within so short a time before it was hashed may change again without its times showing it. */
const SETTLED = 2_000_000_000n;

/**
 * Opens the cache in the file `path`, empty where there is none. A digest is remembered under path, device, inode, size, both times to the
 * nanosecond, range and hash function; whoever can write the file can make a changed model pass. Errors: `data/unreadable` for a file
 * that is no cache; `output/unwritable`. `now` gives milliseconds since 1970.
 */
export async function openDigestCache(path: string, now: () => number = Date.now): Promise<DigestCache> {
  const known = read(path);
  return {
    async hash(pieces, options) {
      const keys = pieces.map((piece) => keyOf(piece, options.type));
      const missing = pieces.map((_, i) => i).filter((i) => !known.has(keys[i]!));
      const started = BigInt(now()) * 1_000_000n;
      let added = false;
      const hashed = (k: number, hex: string) => {
        const i = missing[k]!;
        const { mtimeNs, ctimeNs } = pieces[i]!.file.state;
        if (started - mtimeNs < SETTLED || started - ctimeNs < SETTLED) return;
        known.set(keys[i]!, hex);
        added = true;
      };
      const digests = keys.map((key) => known.get(key) ?? '');
      try {
        const found = await hashPieces(
          missing.map((i) => pieces[i]!),
          { ...options, hashed },
        );
        for (const [k, i] of missing.entries()) digests[i] = found[k]!;
      } finally {
        // After an error, too: what was hashed until then need not be hashed again.
        if (added) await write(path, known);
      }
      return digests;
    },
  };
}

function keyOf({ file, start, end }: Piece, type: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = file.state;
  return [type, start, end, dev, ino, size, mtimeNs, ctimeNs, file.path].join(' ');
}

/** Read on the spot: handing that to another thread costs as much as all the rest of a decision of the gate. */
function read(path: string): Map<string, string> {
  const refuse = (cause?: unknown) =>
    new GlacisError('data/unreadable', `${path}: expected a cache of digests that Glacis wrote`, { cause });
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw refuse(error);
  }
  let parsed: { schema?: unknown; digests?: unknown };
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw refuse(error);
  }
  if (parsed?.schema !== SCHEMA || typeof parsed.digests !== 'object' || parsed.digests === null)
    throw refuse();
  const entries = Object.entries(parsed.digests);
  if (!entries.every(([, hex]) => typeof hex === 'string' && /^([0-9a-f]{64}|[0-9a-f]{128})$/.test(hex)))
    throw refuse();
  return new Map(entries as [string, string][]);
}

async function write(path: string, known: ReadonlyMap<string, string>): Promise<void> {
  const text = `${JSON.stringify({ schema: SCHEMA, digests: Object.fromEntries(known) })}\n`;
  await writeAtomically(path, (bytes) => bytes(Buffer.from(text)), { mode: 0o600 });
}
