import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withOpenBatch } from '../../../test/end-to-end/small-models.ts';
import { openDataset, writeNpz } from '../../data/index.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32Tensor } from '../../onnx/tensor.ts';
import { writeModel } from '../../onnx/write.ts';
import { type Engine, startEngine } from '../../runtime/engine.ts';
import { opsOn } from '../../transform/ops.ts';
import { type Loaded, load } from '../load.ts';
import { corruptionExamples } from './examples.ts';
import { writeCorruptionSamples } from './per-sample.ts';
import { type CorruptionPlan, corruptedSample, planCorruptions } from './plan.ts';
import { corruptionToJson } from './result-json.ts';
import { corruptionRecord, runCorruptions } from './run.ts';
import { corruptionResult } from './summarise.ts';

const SIDE = 8;
const SIZE = SIDE * SIDE;
const N = 23;
const CLASSES = 3;
/** Weights `[64, 3]` of a classifier of pictures. */
const WEIGHTS = Float32Array.from(
  { length: SIZE * CLASSES },
  (_, i) => Math.sin(1.7 * i) + 0.3 * Math.cos(0.2 * i),
);
const X = Float32Array.from({ length: N * SIZE }, (_, i) => ((i * 7919) % 997) / 997);

/** The class that the model answers, computed here. */
function answer(x: Float32Array): number {
  const logits = Array.from({ length: CLASSES }, (_, c) =>
    x.reduce((sum, value, i) => sum + value * WEIGHTS[i * CLASSES + c]!, 0),
  );
  return logits.indexOf(Math.max(...logits));
}
const LABELS = Int32Array.from({ length: N }, (_, i) => answer(X.slice(i * SIZE, (i + 1) * SIZE)));
LABELS[5] = (LABELS[5]! + 1) % CLASSES;

let home: string;
let engine: Engine;
let loaded: Loaded;
let plan: CorruptionPlan;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-corruption-'));
  const b = opsOn(new GraphBuilder());
  const x = b.builder.input('x', 'float32', [1, 1, SIDE, SIDE]);
  const w = b.builder.constant(float32Tensor([SIZE, CLASSES], WEIGHTS), 'w');
  const flat = b.node('Flatten', [x]);
  await writeModel(join(home, 'model.onnx'), withOpenBatch(b.builder.build({ logits: b.matmul(flat, w) })));
  await writeNpz(join(home, 'data.npz'), {
    x: { data: X, shape: [N, 1, SIDE, SIDE] },
    y: { data: LABELS, shape: [N] },
  });
  engine = startEngine({ threads: 1 });
  loaded = await load(engine, {
    model: join(home, 'model.onnx'),
    data: join(home, 'data.npz'),
    range: [0, 1],
  });
  plan = planCorruptions(loaded.subject.sampleDims, loaded.bounds, {
    corruptions: ['gaussian-noise', 'frost', 'pixelate'],
    severities: [1, 5],
    uniform: [0.3],
    gaussian: [],
  });
});
afterAll(async () => {
  await loaded.close();
  await engine.close();
  rmSync(home, { recursive: true, force: true });
});

async function run(batch: number, seed = 3) {
  const record = corruptionRecord(plan, N);
  expect(await runCorruptions({ ...loaded, batch }, plan, record, { seed })).toBe(true);
  return record;
}

describe('runCorruptions', () => {
  it('asks the model about every sample under every cell', async () => {
    const record = await run(7);
    expect(record.finished).toBe(plan.cells.length + 1);
    expect(record.queries).toBe((plan.cells.length + 1) * N);
    expect([...record.cleanWrong]).toEqual(Array.from({ length: N }, (_, i) => (i === 5 ? 1 : 0)));
    let changed = 0;
    for (const [c, cell] of plan.cells.entries())
      for (let i = 0; i < N; i++) {
        const x = corruptedSample(plan, cell, X.slice(i * SIZE, (i + 1) * SIZE), 3, i);
        const wrong = answer(x) === LABELS[i] ? 0 : 1;
        expect(record.wrong[c]![i], `cell ${c}, sample ${i}`).toBe(wrong);
        changed += wrong;
      }
    expect(changed).toBeGreaterThan(plan.cells.length);
  });

  it('gives the same whatever the batch, and something else for another seed', async () => {
    const whole = await run(512);
    expect((await run(1)).wrong).toEqual(whole.wrong);
    expect((await run(7)).wrong).toEqual(whole.wrong);
    expect((await run(7, 4)).wrong).not.toEqual(whole.wrong);
  });

  it('stopped in the middle, keeps whole parts and goes on from there to the same end', async () => {
    const controller = new AbortController();
    const record = corruptionRecord(plan, N);
    const save = async () => {
      if (record.finished === 4) controller.abort();
    };
    const { signal } = controller;
    expect(await runCorruptions({ ...loaded, batch: 5 }, plan, record, { seed: 3, signal, save })).toBe(
      false,
    );
    expect(record.finished).toBe(4);
    const partial = corruptionResult(plan, record)!;
    expect(partial.corruptions.map((c) => c.corruption)).toEqual(['gaussian-noise']);
    expect(partial.notes).toEqual(['stopped early, without frost, pixelate, uniform noise']);
    expect(() => corruptionToJson(partial)).not.toThrow();
    expect(await runCorruptions({ ...loaded, batch: 5 }, plan, record, { seed: 3 })).toBe(true);
    const whole = await run(5);
    expect(record.wrong).toEqual(whole.wrong);
    expect(record.queries).toBe(whole.queries);
  });

  it('stopped before it began, has nothing to say', async () => {
    const record = corruptionRecord(plan, N);
    const signal = AbortSignal.abort();
    expect(await runCorruptions(loaded, plan, record, { seed: 3, signal })).toBe(false);
    expect(corruptionResult(plan, record)).toBeUndefined();
  });

  it('says how far it is, up to the end', async () => {
    const record = corruptionRecord(plan, N);
    const seen: [number, number | undefined, string | undefined][] = [];
    await runCorruptions({ ...loaded, batch: 10 }, plan, record, {
      seed: 3,
      progress: ({ done, total, note }) => seen.push([done, total, note]),
    });
    const total = 8 * N;
    expect(seen[0]).toEqual([0, total, 'clean']);
    expect(seen.at(-1)).toEqual([total, total, 'uniform noise of 0.3']);
    expect(seen.map(([done]) => done)).toEqual(seen.map(([done]) => done).toSorted((a, b) => a - b));
    expect(seen.map(([, , note]) => note)).toContain('frost, severity 5');
  });
});

it('a result counts what the record holds, and can be written', async () => {
  const record = await run(64);
  const result = corruptionResult(plan, record, 'corruption.npz')!;
  const errors = (cell: number) => record.wrong[cell]!.reduce((sum, w) => sum + w, 0) / N;
  expect(result).toMatchObject({
    n: N,
    cleanAccuracy: 1 - 1 / N,
    severities: [1, 5],
    perSample: 'corruption.npz',
  });
  expect(result.corruptions[1]).toMatchObject({ corruption: 'frost', errors: [errors(2), errors(3)] });
  expect(result.noises).toEqual([{ noise: 'uniform', amount: 0.3, error: errors(6) }]);
  const mean = [0, 1, 2, 3, 4, 5].reduce((sum, cell) => sum + errors(cell), 0) / 6;
  expect(result.meanCorruptionError).toBeCloseTo(mean, 12);
  expect(result.confidence![0]).toBeLessThan(mean);
  expect(result.confidence![1]).toBeGreaterThan(mean);
  expect(result.notes).toBeUndefined();
  expect(() => corruptionToJson(result)).not.toThrow();
});

it('the file of outcomes holds a row for each finished cell', async () => {
  const record = await run(64);
  await writeCorruptionSamples(
    home,
    'outcome.npz',
    { indices: loaded.adapted.indices, labels: LABELS },
    record,
  );
  const rows = await openDataset(join(home, 'outcome.npz'), { x: 'correct' });
  expect([rows.n, ...rows.sampleShape]).toEqual([plan.cells.length, N]);
  const values = Array.from(await rows.read(0, rows.n), Number);
  await rows.close();
  expect(values).toEqual(record.wrong.flatMap((wrong) => Array.from(wrong, (flag) => 1 - flag)));
});

it('examples are what the model saw', async () => {
  const examples = (await corruptionExamples(loaded, plan, 3, 2))!;
  expect(examples).toMatchObject({ index: 2, width: SIDE, height: SIDE, channels: 1, severities: [1, 5] });
  const x = X.slice(2 * SIZE, 3 * SIZE);
  expect(examples.clean).toEqual(x);
  expect(examples.items.map((item) => item.corruption)).toEqual(['gaussian-noise', 'frost', 'pixelate']);
  expect(examples.items[1]!.pictures[1]).toEqual(corruptedSample(plan, plan.cells[3]!, x, 3, 2));
  const none = planCorruptions([1, SIDE, SIDE], [0, 1], { corruptions: [] });
  expect(await corruptionExamples(loaded, none, 3, 2)).toBeUndefined();
});
