import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkpointIn } from './checkpoint.ts';
import { cellRecord, cleanRecord } from './record.ts';
import type { RunState } from './run-cells.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-checkpoint-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const IDENTITY = { model: 'sha256:a', eps: [0.1] };

function empty(): RunState {
  return {
    clean: cleanRecord('classification', 5, 3),
    cells: [0, 1].map(() => ({ record: cellRecord('classification', 5, 3), examples: [] })),
  };
}

function halfway(): RunState {
  const state = empty();
  state.clean.done = 5;
  state.clean.correct.set([1, 1, 0, 1, 1]);
  state.clean.prediction.set([0, 1, 2, 0, 1]);
  const [first, second] = state.cells;
  Object.assign(first!.record, { queries: 12, gradientQueries: 7, seconds: 1.5, refused: 1 });
  first!.record.decided.fill(1);
  first!.record.distance.set([0.1, 0, 0, 0.05, 0]);
  first!.examples.push({
    index: 3,
    label: 0,
    before: { class: 0, confidence: 0.9 },
    after: { class: 2, confidence: 0.6 },
    clean: Float32Array.of(0, 0.5),
    adversarial: Float32Array.of(0.1, 0.4),
    eps: 0.1,
    attack: 'fgsm',
  });
  second!.current = {
    start: 0,
    x: Float32Array.of(1, 2, 3),
    decided: Uint8Array.of(1, 0, 0, 0, 1),
    asked: Int32Array.of(4, 0, 0, 0, 9),
    took: Float32Array.of(0.5, 0, 0, 0, 2),
    by: Uint8Array.of(1, 0, 0, 0, 2),
    parameters: Float32Array.of(0.5),
    shared: Float32Array.of(0.25, 0.75),
  };
  return state;
}

describe('a checkpoint', () => {
  it('gives back exactly what was saved, the latest of several', async () => {
    const checkpoint = checkpointIn(folder, IDENTITY);
    await checkpoint.save(empty());
    await checkpoint.save(halfway());
    const state = empty();
    expect(await checkpointIn(folder, IDENTITY).restore(state)).toBe(true);
    expect(state).toEqual(halfway());
  });

  it('is not there before the first save and after it was cleared', async () => {
    const checkpoint = checkpointIn(folder, IDENTITY);
    expect(await checkpoint.restore(empty())).toBe(false);
    await checkpoint.save(halfway());
    await checkpoint.clear();
    expect(await checkpoint.restore(empty())).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is refused by a run with other options, which are named', async () => {
    await checkpointIn(folder, IDENTITY).save(halfway());
    await expect(checkpointIn(folder, { ...IDENTITY, eps: [0.2] }).restore(empty())).rejects.toThrow(
      /another one \(eps differ\)/,
    );
  });

  it('is refused when its arrays were changed or its index is damaged', async () => {
    await checkpointIn(folder, IDENTITY).save(halfway());
    const data = join(folder, 'checkpoint-a.npz');
    const bytes = readFileSync(data);
    bytes[200]! ^= 1;
    writeFileSync(data, bytes);
    await expect(checkpointIn(folder, IDENTITY).restore(empty())).rejects.toThrow(/expected a checkpoint/);
    writeFileSync(join(folder, 'checkpoint.json'), '{"schema":');
    await expect(checkpointIn(folder, IDENTITY).restore(empty())).rejects.toThrow(/expected a checkpoint/);
  });
});
