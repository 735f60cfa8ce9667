import { afterAll, describe, expect, test } from 'vitest';
import { GlacisError } from '../../core/error.ts';
import { randomFrom } from '../../core/random.ts';
import { startEngine } from '../../runtime/engine.ts';
import type { Oracle } from '../../runtime/oracle.ts';
import { planRecipe } from '../../train/index.ts';
import { answersOf, copyGradient, trainCopy } from './copy.ts';
import { type ExtractOptions, extract } from './extract.ts';
import { EXTRACTIONS, planExtraction } from './registry.ts';

const engine = startEngine({ threads: 1 });
afterAll(() => engine.close());

const SIZE = 6;

/** Two classes, by whether the first half of a sample is larger than the second. */
function oracleFor(over: Partial<Oracle> = {}): Oracle & { readonly asked: number[] } {
  const sent: number[] = [];
  return {
    asked: sent,
    sampleDims: [SIZE],
    classes: 2,
    batch: 8,
    parallel: 1,
    async ask(points, n) {
      sent.push(n);
      const out = new Float32Array(2 * n);
      for (let i = 0; i < n; i++)
        for (let j = 0; j < SIZE; j++) out[2 * i + (j < 3 ? 0 : 1)]! += 4 * points[i * SIZE + j]!;
      return out;
    },
    close: async () => {},
    ...over,
  };
}

const pool = (() => {
  const rng = randomFrom(1, 'pool');
  return Float32Array.from({ length: 100 * SIZE }, () => rng.uniform());
})();

const options = (over: Partial<ExtractOptions> = {}): ExtractOptions => ({
  oracle: oracleFor(),
  gives: 'logits',
  bounds: [0, 1],
  budget: 70,
  pool,
  rng: randomFrom(2, 'extract'),
  copy: {
    engine,
    recipe: planRecipe('mlp(hidden=16)'),
    steps: 20,
    epochs: 5,
    batch: 16,
    rate: 1e-2,
    seed: 3,
  },
  ...over,
});
const plan = (name: string, given: Record<string, number> = {}) => planExtraction({ name, options: given });
const rowsOf = ({ x, n }: { readonly x: Float32Array; readonly n: number }) =>
  Array.from({ length: n }, (_, i) => x.subarray(i * SIZE, (i + 1) * SIZE));

describe.each(EXTRACTIONS.map(({ id }) => [id]))('%s', (id) => {
  const few: Record<string, Record<string, number>> = {
    jacobian: { seeds: 20, batch: 16 },
    cloudleak: { seeds: 30, round: 20, batch: 16 },
  };

  test('spends its budget and no more, within bounds, and learns probabilities', async () => {
    const oracle = oracleFor();
    const { answered, ended } = await extract(plan(id, few[id]), options({ oracle }));
    expect(ended).toBe('budget');
    expect(answered.n).toBe(70);
    expect(oracle.asked.reduce((sum, n) => sum + n, 0)).toBe(70);
    expect(Math.max(...oracle.asked)).toBeLessThanOrEqual(8);
    expect(answered.x.every((v) => v >= 0 && v <= 1)).toBe(true);
    for (let i = 0; i < 70; i++) expect(answered.y[2 * i]! + answered.y[2 * i + 1]!).toBeCloseTo(1, 5);
  });

  test('asks the same for the same seed', async () => {
    const once = await extract(plan(id, few[id]), options());
    const again = await extract(plan(id, few[id]), options());
    expect(again.answered.x).toEqual(once.answered.x);
  });

  test('keeps what it has when it is cut off', async () => {
    let asked = 0;
    const open = oracleFor();
    const oracle = oracleFor({
      async ask(points, n) {
        if (asked >= 32) throw new GlacisError('endpoint/unavailable', 'test: no more');
        asked += n;
        return open.ask(points, n);
      },
    });
    const { answered, ended } = await extract(plan(id, few[id]), options({ oracle }));
    expect(ended).toBe('refused');
    expect(answered.n).toBe(asked);
  });

  test('a cancellation is no refusal', async () => {
    const stop = new AbortController();
    stop.abort();
    await expect(extract(plan(id, few[id]), options({ signal: stop.signal }))).rejects.toMatchObject({
      code: 'run/cancelled',
    });
  });

  test('nor is one that the oracle reports', async () => {
    const oracle = oracleFor({
      async ask() {
        throw new GlacisError('run/cancelled', 'test: stopped');
      },
    });
    await expect(extract(plan(id, few[id]), options({ oracle }))).rejects.toMatchObject({
      code: 'run/cancelled',
    });
  });

  test('options out of range are refused', () => {
    expect(() => plan(id, { batch: 0 })).toThrow(expect.objectContaining({ code: 'option/invalid' }));
    expect(() => plan(id, { nothing: 1 })).toThrow(expect.objectContaining({ code: 'option/unknown' }));
  });
});

describe('ways to copy', () => {
  test('knockoff asks about each sample once, in another order, and then ends', async () => {
    const { answered, ended } = await extract(plan('knockoff'), options({ budget: 500 }));
    expect(ended).toBe('pool');
    expect(answered.n).toBe(100);
    const key = (row: Float32Array) => row.join();
    const all = Array.from({ length: 100 }, (_, i) => key(pool.subarray(i * SIZE, (i + 1) * SIZE)));
    const asked = rowsOf(answered).map(key);
    expect([...asked].sort()).toEqual([...all].sort());
    expect(asked).not.toEqual(all);
  });

  test('Jacobian-based augmentation moves every element by one step from its parent', async () => {
    const { answered } = await extract(plan('jacobian', { seeds: 20, step: 0.1 }), options({ budget: 40 }));
    const rows = rowsOf(answered);
    let whole = 0;
    for (let i = 0; i < 20; i++)
      for (let j = 0; j < SIZE; j++) {
        const step = Math.abs(rows[20 + i]![j]! - rows[i]![j]!);
        expect(step).toBeLessThan(0.1 + 1e-6);
        if (Math.abs(step - 0.1) < 1e-6) whole++;
      }
    expect(whole).toBeGreaterThan(80);
  });

  test('without a pool, what needs one is refused', async () => {
    await expect(extract(plan('knockoff'), options({ pool: new Float32Array(0) }))).rejects.toMatchObject({
      code: 'option/invalid',
    });
    expect((await extract(plan('noise'), options({ pool: new Float32Array(0) }))).answered.n).toBe(70);
  });

  test('what an answer leaves out is spread over the classes it is silent about', async () => {
    const oracle = oracleFor({
      classes: 4,
      ask: async (_, n) => Float32Array.from({ length: 4 * n }, (_, i) => (i % 4 === 1 ? 0.7 : 0)),
    });
    const { answered } = await extract(plan('noise'), options({ oracle, gives: 'probabilities', budget: 1 }));
    expect([...answered.y].map((v) => Math.round(10 * v) / 10)).toEqual([0.1, 0.7, 0.1, 0.1]);
  });

  test('an unknown name is refused with the nearest that is known', () => {
    expect(() => plan('knockof')).toThrow("did you mean 'knockoff'");
  });
});

describe('a copy', () => {
  const how = {
    engine,
    sampleDims: [SIZE],
    classes: 2,
    recipe: planRecipe('mlp(hidden=16)'),
    steps: 300,
    epochs: 60,
    batch: 16,
    rate: 1e-2,
    seed: 3,
  };

  test('agrees with its model after a hundred answers, and its gradient points from one class to the other', async () => {
    const { answered } = await extract(plan('knockoff'), options({ budget: 100 }));
    const copy = await trainCopy(answered, how);
    const fresh = Float32Array.from(
      { length: 200 * SIZE },
      (
        (rng) => () =>
          rng.uniform()
      )(randomFrom(9, 'fresh')),
    );
    const own = await oracleFor().ask(fresh, 200);
    const theirs = await answersOf(engine, copy, fresh, [SIZE]);
    let same = 0;
    for (let i = 0; i < 200; i++)
      if (own[2 * i]! > own[2 * i + 1]! === theirs[2 * i]! > theirs[2 * i + 1]!) same++;
    expect(same).toBeGreaterThan(180);
    const points = fresh.subarray(0, 10 * SIZE);
    const first = await copyGradient(engine, copy, points, new Int32Array(10));
    const mean = (from: number) =>
      first.reduce((sum, v, i) => sum + (Math.floor((i % SIZE) / 3) === from ? v : 0), 0);
    expect(mean(0)).toBeGreaterThan(0);
    expect(mean(1)).toBeLessThan(0);
    // Without labels: the class that the copy gives.
    const given = await copyGradient(engine, copy, points, undefined);
    const top = Int32Array.from({ length: 10 }, (_, i) => (theirs[2 * i]! > theirs[2 * i + 1]! ? 0 : 1));
    expect(given).toEqual(await copyGradient(engine, copy, points, top));
  });

  test('without answers there is none', async () => {
    const nothing = { x: new Float32Array(0), y: new Float32Array(0), n: 0 };
    await expect(trainCopy(nothing, how)).rejects.toMatchObject({ code: 'data/mismatch' });
  });
});
