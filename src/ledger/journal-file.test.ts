import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../core/random.ts';
import { openJournalFile } from './journal-file.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-segment-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Short and long records; no byte of them is zero. */
function records(seed: number): Uint8Array[] {
  const rng = randomFrom(seed, 'segment');
  const sizes = [1, 700, 40_000, 64 << 10, (64 << 10) + 1, 600_000, 1_200_000];
  return Array.from({ length: 24 }, (_, i) => new Uint8Array(sizes[rng.integer(sizes.length)]!).fill(1 + i));
}

describe.each([true, false])('a segment (may block: %s)', (mayBlock) => {
  it('holds its records one after the other, whatever their lengths, and zeros behind them', async () => {
    for (const seed of [1, 2]) {
      const path = join(folder, `${seed}`);
      const file = await openJournalFile(path, mayBlock);
      const all = records(seed);
      for (const record of all) await file.append(record);
      await file.close();
      const bytes = await readFile(path);
      const expected = Buffer.concat(all);
      expect(bytes.subarray(0, expected.length).equals(expected)).toBe(true);
      expect(bytes.subarray(expected.length).every((byte) => byte === 0)).toBe(true);
    }
  });

  it('has room before a short record needs it', async () => {
    const path = join(folder, 'room');
    const file = await openJournalFile(path, mayBlock);
    const { size } = await stat(path);
    for (let written = 0; written + 30_000 < size / 2; written += 30_000)
      await file.append(new Uint8Array(30_000).fill(1));
    expect((await stat(path)).size).toBe(size);
    await file.append(new Uint8Array(60_000).fill(1));
    await file.close();
    expect((await stat(path)).size).toBe(2 * size);
  });
});

it('a segment takes the place of what was there', async () => {
  const path = join(folder, 'again');
  for (const byte of [1, 2]) {
    const file = await openJournalFile(path, true);
    await file.append(Uint8Array.of(byte));
    await file.close();
  }
  const bytes = await readFile(path);
  expect([...bytes.subarray(0, 2)]).toEqual([2, 0]);
});
