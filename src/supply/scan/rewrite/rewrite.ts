import { GlacisError } from '../../../core/error.ts';
import { writeAtomically } from '../../../data/atomic-write.ts';
import { type ByteSource, openFile } from '../../../data/byte-source.ts';
import { elementCount } from '../../../onnx/tensor.ts';
import { openZipArchive } from '../container/zip.ts';
import { DEFAULT_SCAN_LIMITS, newBudget } from '../limits.ts';
import { Judge } from '../pickle/judge.ts';
import { isLegacyTorch, readLegacyStorages, type StoragePlaces } from '../pickle/legacy-torch.ts';
import { runPickle } from '../pickle/run.ts';
import type { View } from '../pickle/storage.ts';
import type { Value } from '../pickle/value.ts';
import { type FoundTensor, findTensors, type StorageBytes, safetensorsType } from './tensors.ts';

/** What a rewrite took over and what it left. */
export interface Rewrite {
  readonly tensors: number;
  /** Bytes of all tensors. */
  readonly bytes: number;
  readonly left: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Writes the tensors of a PyTorch checkpoint (a zip archive, or the format before 1.6) into a safetensors file, without loading
 * the checkpoint: its pickle is run on the machine that knows names instead of objects, whatever the scan said of it.
 * The same checkpoint gives the same bytes. Memory: 8 MiB at a time and the header; a tensor whose elements lie apart is held whole.
 *
 * Errors: `data/unreadable` (no checkpoint, damaged, an archive that contradicts itself, no tensor in it), `scan/limit`,
 * `output/unwritable`, `run/cancelled`.
 * Source of the format: https://github.com/huggingface/safetensors (README, "Format").
 */
export async function rewriteCheckpoint(path: string, out: string, signal?: AbortSignal): Promise<Rewrite> {
  const source = await openFile(path);
  try {
    const { root, read, close } = await openCheckpoint(source, path, signal);
    try {
      const { tensors, left } = findTensors(root);
      const kept = tensors.filter(({ view }) => safetensorsType(view.type) !== undefined);
      const without = tensors
        .filter((tensor) => !kept.includes(tensor))
        .map(({ name, view }) => ({ name, reason: `safetensors has no type ${view.type}` }));
      if (kept.length === 0)
        throw new GlacisError('data/unreadable', `${path}: expected a checkpoint with tensors, got none`);
      const bytes = await writeSafetensors(kept, read, out);
      return { tensors: kept.length, bytes, left: [...left, ...without] };
    } finally {
      await close();
    }
  } finally {
    await source.close();
  }
}

interface Checkpoint {
  readonly root: Value | undefined;
  readonly read: StorageBytes;
  close(): Promise<void>;
}

async function openCheckpoint(
  source: ByteSource,
  where: string,
  signal: AbortSignal | undefined,
): Promise<Checkpoint> {
  const budget = newBudget(DEFAULT_SCAN_LIMITS, () => performance.now(), signal);
  const fail = (what: string) =>
    new GlacisError('data/unreadable', `${where}: expected a PyTorch checkpoint, got ${what}`);
  const mark = await source.read(0, Math.min(2, source.size));
  if (mark[0] === 0x50 && mark[1] === 0x4b) {
    const report = (_: unknown, what: string) => {
      throw fail(`an archive that contradicts itself: ${what}`);
    };
    const archive = await openZipArchive(source, { report, budget, where, signal });
    const pickle = archive.members.find(({ name }) => /(^|\/)data\.pkl$/.test(name))?.name;
    if (pickle === undefined) throw fail('an archive without data.pkl');
    const root = pickle.slice(0, -'data.pkl'.length);
    if (archive.members.some(({ name }) => name === `${root}byteorder`)) {
      const order = await contentOf(await archive.open(`${root}byteorder`));
      if (Buffer.from(order).toString('latin1') !== 'little')
        throw fail('numbers with the most significant byte first');
    }
    const open = new Map<string, ByteSource>();
    return {
      root: await runWhole(await archive.open(pickle), fail, budget),
      read: async ({ key, bytes }, offset, length) => {
        let storage = open.get(key);
        if (storage === undefined) {
          storage = await archive.open(`${root}data/${key}`);
          open.set(key, storage);
        }
        if (storage.size !== bytes)
          throw fail(`data/${key} of ${storage.size} bytes where ${bytes} are described`);
        return storage.read(offset, length);
      },
      close: async () => {
        for (const storage of open.values()) await storage.close();
      },
    };
  }
  const judge = new Judge({ torch: true, script: false });
  const results: (Value | undefined)[] = [];
  let at = 0;
  for (let i = 0; i < 5; i++) {
    const { end, broken, result } = await runPickle(source, at, judge, budget);
    if (broken !== undefined) throw fail(`a pickle that breaks off: ${broken}`);
    if (i === 0 && !isLegacyTorch(result)) throw fail('another pickle');
    results.push(result);
    at = end;
  }
  const places: StoragePlaces = new Map();
  const after = await readLegacyStorages(source, at, results[4], judge.storages, places);
  if (typeof after === 'string') throw fail(after);
  return {
    root: results[3],
    read: ({ key }, offset, length) => source.read(places.get(key)! + offset, length),
    close: async () => {},
  };
}

async function runWhole(
  source: ByteSource,
  fail: (what: string) => GlacisError,
  budget: ReturnType<typeof newBudget>,
): Promise<Value | undefined> {
  try {
    const { broken, result } = await runPickle(source, 0, new Judge({ torch: true, script: true }), budget);
    if (broken !== undefined) throw fail(`a pickle that breaks off: ${broken}`);
    return result;
  } finally {
    await source.close();
  }
}

async function contentOf(source: ByteSource): Promise<Uint8Array> {
  try {
    return await source.read(0, Math.min(64, source.size));
  } finally {
    await source.close();
  }
}

/** Bytes that are written at once. */
const PIECE = 8 << 20;

async function writeSafetensors(
  tensors: readonly FoundTensor[],
  read: StorageBytes,
  out: string,
): Promise<number> {
  const sorted = tensors.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  let at = 0;
  const entries = sorted.map(({ name, view }) => {
    const begin = at;
    at += count(view) * view.itemSize;
    return [
      name,
      { dtype: safetensorsType(view.type), shape: view.shape, data_offsets: [begin, at] },
    ] as const;
  });
  // Object.fromEntries would order names of digits first; readers do not care, but the same checkpoint gives the same bytes.
  const json = JSON.stringify(Object.fromEntries([['__metadata__', { format: 'pt' }], ...entries]));
  const header = Buffer.from(json.padEnd(json.length + ((8 - (Buffer.byteLength(json) % 8)) % 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  await writeAtomically(out, async (write) => {
    await write(length);
    await write(header);
    for (const { view } of sorted) for await (const piece of elementsOf(view, read)) await write(piece);
  });
  return at;
}

function count({ shape }: View): number {
  return elementCount(shape);
}

/** The elements of a view in row-major order. */
async function* elementsOf(view: View, read: StorageBytes): AsyncGenerator<Uint8Array> {
  const { storage, offset, shape, strides, itemSize } = view;
  const total = count(view);
  if (total === 0) return;
  if (isContiguous(view)) {
    const end = (offset + total) * itemSize;
    for (let at = offset * itemSize; at < end; at += PIECE)
      yield await read(storage, at, Math.min(PIECE, end - at));
    return;
  }
  // Elements lie apart: the whole stretch that the view covers is read once.
  const span = shape.reduce((sum, size, i) => sum + (size - 1) * strides[i]!, 1);
  const stretch = await read(storage, offset * itemSize, span * itemSize);
  const index = new Array<number>(shape.length).fill(0);
  const rows = Math.max(1, Math.floor(PIECE / itemSize));
  for (let done = 0; done < total; ) {
    const here = Math.min(rows, total - done);
    const piece = new Uint8Array(here * itemSize);
    for (let i = 0; i < here; i++) {
      const from = index.reduce((sum, at, axis) => sum + at * strides[axis]!, 0) * itemSize;
      piece.set(stretch.subarray(from, from + itemSize), i * itemSize);
      for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0;
    }
    done += here;
    yield piece;
  }
}

function isContiguous({ shape, strides }: View): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}
