import { Zip, ZipPassThrough } from 'fflate';
import { GlacisError } from '../core/error.ts';
import { writeAtomically } from './atomic-write.ts';
import type { ByteSource } from './byte-source.ts';
import { encodeNpy, type NpyArray, openNpy } from './npy.ts';
import type { StoredArray } from './stored-array.ts';
import { openZipMember, readZipDirectory } from './zip.ts';

/**
 * Opens the arrays named `keys` of a NumPy archive; a key that the archive lacks gives `undefined`. Members may be stored
 * (read in ranges, never held whole) or deflated (inflated into memory, each up to `maxBytes`).
 *
 * Errors: `data/unreadable`, `data/too-large`, `run/cancelled`.
 * Source: https://numpy.org/doc/stable/reference/generated/numpy.savez.html
 */
export async function openNpz(
  source: ByteSource,
  keys: readonly string[],
  where: string,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<{ readonly arrays: readonly (StoredArray | undefined)[]; readonly names: readonly string[] }> {
  const members = await readZipDirectory(source, where);
  const arrays: (StoredArray | undefined)[] = [];
  for (const key of keys) {
    const member = members.find(({ name }) => name === `${key}.npy` || name === key);
    const place = `${where}[${key}]`;
    const content = member && (await openZipMember(source, member, place, maxBytes, signal));
    arrays.push(content && (await openNpy(content, place, maxBytes)));
  }
  return { arrays, names: members.map(({ name }) => name.replace(/\.npy$/, '')) };
}

/** Offsets in a zip archive without its 64-bit extension end here. */
const MAX_ARCHIVE = 0xffffffff;
const SLICE = 1 << 20;

/**
 * Writes arrays as an uncompressed `.npz`, each under its key: to a temporary file first, renamed when it is complete.
 * The same arrays give the same bytes (the time stamps are fixed).
 * Errors: `output/unwritable`; `option/invalid` (shape and data disagree, or more than 4 GiB in all).
 *
 * @example
 * await writeNpz('adv.npz', { x: { data: adversarial, shape: [100, 1, 28, 28] }, y: { data: labels, shape: [100] } });
 */
export async function writeNpz(path: string, arrays: Readonly<Record<string, NpyArray>>): Promise<void> {
  const members = Object.entries(arrays).map(([key, array]) => ({
    key,
    ...encodeNpy(array, `${path}[${key}]`),
  }));
  const total = members.reduce(
    (sum, { key, header, data }) => sum + header.length + data.length + 2 * key.length + 256,
    0,
  );
  if (total > MAX_ARCHIVE) {
    throw new GlacisError(
      'option/invalid',
      `${path}: expected at most 4 GiB in one archive, got ${total} bytes; use fewer samples`,
    );
  }
  await writeAtomically(path, async (write) => {
    const pending: Uint8Array[] = [];
    const failures: Error[] = [];
    const archive = new Zip((error, bytes) => {
      if (error) failures.push(error);
      else pending.push(bytes);
    });
    const flush = async () => {
      for (const bytes of pending.splice(0)) await write(bytes);
      if (failures[0]) throw failures[0];
    };
    for (const { key, header, data } of members) {
      const member = new ZipPassThrough(`${key}.npy`);
      member.mtime = new Date(1980, 0, 1);
      archive.add(member);
      member.push(header);
      for (let at = 0; at < data.length; at += SLICE) {
        member.push(data.subarray(at, at + SLICE));
        await flush();
      }
      member.push(new Uint8Array(0), true);
    }
    archive.end();
    await flush();
  });
}
