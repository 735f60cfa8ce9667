import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { differences } from '../core/differences.ts';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { writeAtomically } from '../data/atomic-write.ts';
import type { TrainingState } from './state.ts';

/** Everything that a run depends on; a checkpoint is taken up only by a run with the same. */
export type RunIdentity = Readonly<Record<string, unknown>>;

/** All that a run needs to go on where it was. */
export interface Checkpoint {
  /** Everything that decides what the run computes. */
  readonly identity: RunIdentity;
  /** Steps that were made. */
  readonly steps: number;
  /** What the trainer keeps beside the arrays, as JSON. */
  readonly journal: unknown;
  /** Named sets of arrays: `now`, and `best` where early stopping keeps one. */
  readonly states: ReadonlyMap<string, TrainingState>;
}

/** The file's first bytes: its format and version. */
const MAGIC = Buffer.from('GLACISCK\u0001\0\0\0', 'latin1');
/** Longest header that is read. */
const LARGEST_HEADER = 64 << 20;
const DIGEST = 32;

interface Header {
  readonly identity: RunIdentity;
  readonly steps: number;
  readonly journal: unknown;
  /** In the order of their bytes. */
  readonly arrays: readonly { readonly state: string; readonly key: string; readonly length: number }[];
}

/**
 * Writes a checkpoint: magic, header length (uint32), header (JSON), float32 arrays, SHA-256 of all before. The file is replaced as a whole
 * or not at all; `mode` are its rights. Errors: `output/unwritable`, also when the disk is full; the checkpoint before stays.
 */
export async function writeCheckpoint(
  path: string,
  checkpoint: Checkpoint,
  options: { readonly mode?: number } = {},
): Promise<void> {
  const arrays: { state: string; key: string; data: Float32Array }[] = [];
  for (const [state, values] of checkpoint.states)
    for (const [key, data] of values) arrays.push({ state, key, data });
  const header: Header = {
    identity: checkpoint.identity,
    steps: checkpoint.steps,
    journal: checkpoint.journal,
    arrays: arrays.map(({ state, key, data }) => ({ state, key, length: data.length })),
  };
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const hash = createHash('sha256');
  await writeAtomically(
    path,
    async (write) => {
      const put = async (bytes: Uint8Array) => {
        hash.update(bytes);
        await write(bytes);
      };
      for (const bytes of [MAGIC, length, text]) await put(bytes);
      for (const { data } of arrays) await put(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      await write(hash.digest());
    },
    options,
  );
}

/**
 * Reads the checkpoint of the run of this identity; `undefined` where there is no file. Errors: `option/invalid` for a checkpoint of
 * another run, naming what differs; `result/invalid` for a file that is none or was changed; `data/unreadable`.
 */
export async function readCheckpoint(path: string, identity: RunIdentity): Promise<Checkpoint | undefined> {
  const bytes = await bytesOf(path);
  if (!bytes) return undefined;
  const checkpoint = parseCheckpoint(bytes, path);
  const differing = differences(checkpoint.identity, JSON.parse(JSON.stringify(identity)));
  if (differing.length > 0)
    throw new GlacisError(
      'option/invalid',
      `${path}: expected a checkpoint of this run, got one of another (${differing.join(', ')} differ); give the same options and data, or another checkpoint`,
    );
  return checkpoint;
}

async function bytesOf(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw asGlacisError(error, 'data/unreadable', path);
  }
}

/** A checkpoint from the bytes of its file, `path` in messages. Errors: `result/invalid`. */
export function parseCheckpoint(bytes: Buffer, path: string): Checkpoint {
  const fail = (expected: string, got: string): never => {
    throw new GlacisError('result/invalid', `${path}: expected ${expected}, got ${got}`);
  };
  const start = MAGIC.length + 4;
  if (bytes.length < start + DIGEST || !bytes.subarray(0, MAGIC.length).equals(MAGIC))
    fail('a checkpoint of a training run', 'something else');
  const digest = createHash('sha256').update(bytes.subarray(0, -DIGEST)).digest();
  if (!digest.equals(bytes.subarray(-DIGEST)))
    fail('the digest at its end to match', 'other bytes: it was cut or changed');
  const size = bytes.readUInt32LE(MAGIC.length);
  if (size > LARGEST_HEADER || start + size + DIGEST > bytes.length)
    fail('a header that fits into the file', `${size} bytes`);
  const header = headerFrom(bytes.subarray(start, start + size)) ?? fail('a header', 'something else');
  const states = new Map<string, Map<string, Float32Array>>();
  let at = start + size;
  for (const { state, key, length } of header.arrays) {
    const end = at + 4 * length;
    if (end > bytes.length - DIGEST) fail(`${length} numbers for ${key}`, 'the end of the file');
    if (!states.has(state)) states.set(state, new Map());
    states
      .get(state)!
      .set(key, new Float32Array(bytes.buffer.slice(bytes.byteOffset + at, bytes.byteOffset + end)));
    at = end;
  }
  if (at !== bytes.length - DIGEST)
    fail('nothing behind the last array', `${bytes.length - DIGEST - at} bytes`);
  return { identity: header.identity, steps: header.steps, journal: header.journal, states };
}

function headerFrom(bytes: Buffer): Header | undefined {
  let value: Partial<Header> | null;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { identity, steps, arrays } = value;
  const isCount = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 0;
  const isHeader =
    typeof identity === 'object' &&
    identity !== null &&
    isCount(steps) &&
    Array.isArray(arrays) &&
    arrays.every(
      (each) => typeof each?.state === 'string' && typeof each.key === 'string' && isCount(each.length),
    );
  return isHeader ? (value as Header) : undefined;
}
