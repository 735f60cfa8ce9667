import { statfsSync } from 'node:fs';

/** Bytes that this process may still write to the file system of a folder. Costs a few microseconds. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder, { bigint: true });
  return Number(bavail * bsize);
}
