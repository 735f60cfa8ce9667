import type { ByteSource } from '../../../data/byte-source.ts';
import type { Storage } from './storage.ts';
import { kindOf, type List, show, type Value } from './value.ts';

/** What the first pickle of a PyTorch file before 1.6 gives. */
const MAGIC = 0x1950a86a20f9469cfc6cn;

/** Whether a file that begins with this pickle is a checkpoint in the format before PyTorch 1.6. */
export function isLegacyTorch(first: Value | undefined): boolean {
  return first === MAGIC;
}

/** Where the elements of each storage begin. */
export type StoragePlaces = Map<string, number>;

/**
 * Passes over the storages behind the five pickles of a legacy file: for each key of the fifth pickle the number of elements,
 * in 8 bytes, and the elements. Gives the byte behind them, or a text that says what does not fit.
 * `places` is filled with where the elements of each storage begin.
 * Source: torch/serialization.py, `_legacy_load`.
 */
export async function readLegacyStorages(
  source: ByteSource,
  start: number,
  keys: Value | undefined,
  storages: ReadonlyMap<string, Storage>,
  places: StoragePlaces = new Map(),
): Promise<number | string> {
  if (kindOf(keys) !== 'list' || (keys as List).dropped > 0) return 'the list of storages is none';
  let at = start;
  for (const key of (keys as List).items) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (storage === undefined) return `storage ${show(key)} is listed and never described`;
    if (places.has(storage.key)) return `storage ${show(key)} is listed twice`;
    if (at + 8 > source.size) return `storage ${show(key)} is missing`;
    const head = await source.read(at, 8);
    const elements = Number(new DataView(head.buffer, head.byteOffset, 8).getBigInt64(0, true));
    if (elements * storage.itemSize !== storage.bytes)
      return `storage ${show(key)} holds ${elements} elements where ${storage.bytes / storage.itemSize} are described`;
    if (at + 8 + storage.bytes > source.size) return `storage ${show(key)} ends past the end of the file`;
    places.set(storage.key, at + 8);
    at += 8 + storage.bytes;
  }
  for (const key of storages.keys())
    if (!places.has(key)) return `storage ${show(key)} is described and missing`;
  return at;
}
