import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDataset } from '../data/index.ts';
import { writePerSample } from './per-sample.ts';
import { cellRecord, cleanRecord } from './record.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-per-sample-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const samples = { indices: Int32Array.of(7, 8, 9), labels: Int32Array.of(0, 1, 2) };

function records(targeted = false) {
  const clean = cleanRecord('classification', 3, 3, targeted);
  clean.prediction.set([0, 1, 0]);
  clean.correct.set([1, 1, 0]);
  clean.targets?.set([2, 0, -1]);
  const record = cellRecord('classification', 3, 3);
  record.prediction.set([0, 2, 0]);
  record.success.set([0, 1, 0]);
  record.distance.set([0.25, 0.125, 0]);
  record.decided.fill(1);
  record.asked.set([100, 12, 0]);
  record.took.set([3, 1, 0]);
  record.by.set([0, 6, 0]);
  return { clean, record };
}

async function written(name: string, key: string): Promise<number[]> {
  const array = await openDataset(join(folder, name), { x: key });
  try {
    return Array.from(await array.read(0, array.n), Number);
  } finally {
    await array.close();
  }
}

it('the file of a run holds what became of every sample', async () => {
  const { clean, record } = records();
  await writePerSample(folder, 'run.npz', samples, clean, record);
  const expected = {
    index: [7, 8, 9],
    label: [0, 1, 2],
    clean_prediction: [0, 1, 0],
    clean_correct: [1, 1, 0],
    prediction: [0, 2, 0],
    success: [0, 1, 0],
    distance: [0.25, 0.125, 0],
    decided: [1, 1, 1],
    queries: [100, 12, 0],
    part: [0, 6, 0],
  };
  for (const [key, values] of Object.entries(expected))
    expect(await written('run.npz', key), key).toEqual(values);
  await expect(written('run.npz', 'target')).rejects.toThrow(/target/);
});

it('the file of a targeted run says where each sample was led', async () => {
  const { clean, record } = records(true);
  await writePerSample(folder, 'led.npz', samples, clean, record);
  expect(await written('led.npz', 'target')).toEqual([2, 0, -1]);
});

it('the file has no times, so that the same outcomes are the same bytes', async () => {
  const { clean, record } = records();
  await writePerSample(folder, 'one.npz', samples, clean, record);
  record.took.fill(99);
  record.seconds = 42;
  await writePerSample(folder, 'two.npz', samples, clean, record);
  expect(readFileSync(join(folder, 'two.npz'))).toEqual(readFileSync(join(folder, 'one.npz')));
});
