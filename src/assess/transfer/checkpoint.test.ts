import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { transferCheckpointIn } from './checkpoint.ts';
import type { TransferRecord } from './run.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-transfer-checkpoint-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const IDENTITY = { model: ['sha256:a', 'sha256:b'], eps: [0.1] };

function empty(n = 3): TransferRecord {
  const flags = () => [new Uint8Array(n), new Uint8Array(n)];
  const counts = { done: 0, queries: 0, gradientQueries: 0, seconds: 0, refused: 0 };
  return {
    cleanDone: 0,
    right: flags(),
    noise: flags(),
    rows: [0, 1].map((model) => ({ model, fooled: flags(), ...counts })),
  };
}

function halfway(): TransferRecord {
  const record = empty();
  record.cleanDone = 3;
  record.right[1]!.set([1, 0, 1]);
  record.noise![0]!.set([0, 1, 0]);
  Object.assign(record.rows[0]!, { done: 2, queries: 9, gradientQueries: 4, seconds: 1.5, refused: 1 });
  record.rows[0]!.fooled[1]!.set([1, 1, 0]);
  record.rows[1]!.impossible = 'no gradient';
  return record;
}

describe('a checkpoint of a transfer matrix', () => {
  it('gives back what was saved last, and is gone when it is cleared', async () => {
    const checkpoint = transferCheckpointIn(folder, IDENTITY);
    await checkpoint.save(empty());
    await checkpoint.save(halfway());
    const record = empty();
    expect(await transferCheckpointIn(folder, IDENTITY).restore(record)).toBe(true);
    expect(record).toEqual(halfway());
    await checkpoint.clear();
    expect(readdirSync(folder)).toEqual([]);
    expect(await checkpoint.restore(empty())).toBe(false);
  });

  it('is refused by another run, and where it does not fit', async () => {
    await transferCheckpointIn(folder, IDENTITY).save(halfway());
    const other = transferCheckpointIn(folder, { ...IDENTITY, eps: [0.2] });
    await expect(other.restore(empty())).rejects.toMatchObject({
      code: 'option/invalid',
      message: expect.stringContaining('eps'),
    });
    const wider = transferCheckpointIn(folder, IDENTITY).restore(empty(4));
    await expect(wider).rejects.toMatchObject({ code: 'result/invalid' });
  });
});
