import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Tensor } from '../../oip/tensor.ts';
import type { HostTensor } from '../../runtime/array.ts';
import type { Refused } from '../refusal.ts';
import type { RunOptions } from '../served-model.ts';
import { type Batching, openBatcher } from './batcher.ts';
import { lanePool } from './lane-pool.ts';
import type { Ports } from './ports.ts';

const PORTS: Ports = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, -1], widened: false }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, -1], widened: false }],
  rows: 'any',
};
/** A model that negates, in its own time; a row that begins with 13 makes the whole run fail. */
function negating(rest: Partial<Batching> = {}, slow: () => number = () => 0) {
  const runs: number[][] = [];
  const batcher = openBatcher({
    ports: PORTS,
    most: 8,
    shared: true,
    wait: 0,
    longest: 1000,
    // No run fails because the machine stood still.
    timeout: 600_000,
    queue: 1000,
    background: false,
    lanes: [0, 1],
    pool: lanePool(2),
    clock: () => performance.now(),
    async run(_, { x }) {
      const { dims, data } = x as HostTensor & { data: Float32Array };
      runs.push([...dims]);
      await new Promise((later) => setTimeout(later, slow()));
      const width = dims[1]!;
      for (let row = 0; row < dims[0]!; row++) if (data[row * width] === 13) throw new Error('unlucky');
      return { y: { dtype: 'float32', dims, data: data.map((v) => -v) } };
    },
    ...rest,
  });
  return { batcher, runs };
}
const how = (n: number, rest: Partial<RunOptions> = {}): RunOptions => ({
  n,
  signal: new AbortController().signal,
  features: false,
  ...rest,
});
const rows = (n: number, width: number, first: number): Tensor => ({
  name: 'x',
  datatype: 'FP32',
  shape: [n, width],
  data: Float32Array.from({ length: n * width }, (_, i) => first + i),
});
const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'answered',
    (thrown: Refused) => thrown.refusal,
  );

describe('batches', () => {
  it('give every caller exactly their own answer, or a reason, whatever happens beside', async () => {
    const request = fc.record({
      n: fc.integer({ min: 1, max: 20 }),
      width: fc.constantFrom(1, 2, 3),
      first: fc.constantFrom(100, 200, 13),
      gone: fc.boolean(),
      deadline: fc.option(fc.integer({ min: -5, max: 5 })),
      pause: fc.boolean(),
    });
    const setting = fc.record({
      most: fc.integer({ min: 1, max: 9 }),
      shared: fc.boolean(),
      wait: fc.constantFrom(0, 0.2, 1),
      rows: fc.constantFrom('any' as const, 1, 4),
    });
    await fc.assert(
      fc.asyncProperty(
        setting,
        fc.array(request, { maxLength: 25 }),
        async ({ rows: form, ...setting }, requests) => {
          const { batcher } = negating({ ...setting, ports: { ...PORTS, rows: form } });
          const ends = [];
          for (const { n, width, first, gone, deadline, pause } of requests) {
            const caller = new AbortController();
            const input = rows(n, width, first);
            const asked = batcher.run(
              [input],
              how(n, {
                signal: caller.signal,
                deadline: deadline === null ? undefined : performance.now() + deadline,
              }),
            );
            ends.push(
              asked.then(
                ({ outputs }) => {
                  expect(first).not.toBe(13);
                  expect(outputs[0]!.shape).toEqual([n, width]);
                  expect(outputs[0]!.data).toEqual((input.data as Float32Array).map((v) => -v));
                },
                (thrown: Refused) => {
                  if (thrown.refusal === 'late') expect(gone || deadline !== null).toBe(true);
                  // Only who sent the thirteen pays for it: theirs begin with it, whoever else's do not.
                  else expect([thrown.refusal, hasThirteen(n, width, first)]).toEqual(['failed', true]);
                },
              ),
            );
            if (gone) setImmediate(() => caller.abort());
            if (pause) await new Promise((later) => setImmediate(later));
          }
          await Promise.all(ends);
          expect([batcher.open, batcher.waiting]).toEqual([0, 0]);
          await batcher.close();
        },
      ),
      { numRuns: 40 },
    );
  });

  it('grow while the threads are busy, and hold rows of one width only', async () => {
    const { batcher, runs } = negating({ lanes: [0] }, () => 5);
    await Promise.all(Array.from({ length: 40 }, (_, i) => batcher.run([rows(1, 1 + (i % 2), 100)], how(1))));
    expect(runs.length).toBeLessThan(14);
    expect(Math.max(...runs.map(([n]) => n!))).toBe(8);
    await batcher.close();
  });

  it('wait for company as long as they are told to, and not when they are full', async () => {
    const { batcher, runs } = negating({ wait: 200, most: 3 });
    const ask = () => batcher.run([rows(1, 1, 100)], how(1));
    const first = ask();
    for (let turn = 0; turn < 5; turn++) await new Promise((later) => setImmediate(later));
    await Promise.all([first, ask()]);
    expect(runs).toEqual([[2, 1]]);
    await batcher.close();
    const endless = negating({ wait: 1e9, most: 3 }).batcher;
    const full = [1, 2, 3].map(() => endless.run([rows(1, 1, 100)], how(1)));
    expect(await Promise.all(full)).toHaveLength(3);
    await endless.close();
  });

  it('are as long as they may take', async () => {
    let now = 0;
    const { batcher, runs } = negating({
      lanes: [0],
      most: 100,
      longest: 6,
      clock: () => now,
      // Two milliseconds a row.
      run: async (_, { x }) => {
        runs.push([...x!.dims]);
        now += 2 * x!.dims[0]!;
        return { y: x! };
      },
    });
    await batcher.run([rows(4, 1, 100)], how(4));
    runs.length = 0;
    await Promise.all(Array.from({ length: 12 }, () => batcher.run([rows(1, 1, 100)], how(1))));
    expect(runs).toEqual([
      [3, 1],
      [3, 1],
      [3, 1],
      [3, 1],
    ]);
    await batcher.close();
  });

  /** A model that answers when it is told to. */
  const held = (rest: Partial<Batching>) => {
    let go = () => {};
    const going = new Promise<void>((resolve) => {
      go = resolve;
    });
    const made = negating({ lanes: [0], ...rest, run: async (_, { x }) => going.then(() => ({ y: x! })) });
    return { ...made, go };
  };

  it('that take too long are waited for no longer, by anybody', async () => {
    const { batcher, go } = held({ timeout: 30 });
    const asked = [1, 2, 3].map(() => refusal(batcher.run([rows(1, 1, 100)], how(1))));
    expect(await Promise.all(asked)).toEqual(['late', 'late', 'late']);
    go();
    await batcher.close();
  });

  it('are left by a request whose deadline passes while the thread is busy', async () => {
    const { batcher, go } = held({ shared: false });
    const first = refusal(batcher.run([rows(1, 1, 100)], how(1)));
    // One may go along behind the first in the worker; the others wait here.
    const waiting = Array.from({ length: 3 }, () =>
      refusal(batcher.run([rows(1, 1, 100)], how(1, { deadline: performance.now() + 20 }))),
    );
    expect(await Promise.all(waiting.slice(1))).toEqual(['late', 'late']);
    go();
    expect(await first).toBe('answered');
    await Promise.all(waiting);
    await batcher.close();
  });

  it('of shadows run only where nothing else does', async () => {
    const pool = lanePool(1);
    const order: string[] = [];
    const made = (name: string, background: boolean) =>
      negating({
        pool,
        lanes: [0],
        background,
        most: 1,
        run: async (_, { x }) => {
          order.push(name);
          await new Promise((later) => setTimeout(later, 5));
          return { y: x! };
        },
      }).batcher;
    const [front, back] = [made('front', false), made('back', true)];
    const asked = [
      back.run([rows(1, 1, 1)], how(1)),
      ...[1, 2, 3].map(() => front.run([rows(1, 1, 1)], how(1))),
    ];
    await Promise.all(asked);
    expect(order).toEqual(['front', 'front', 'front', 'back']);
    await Promise.all([front.close(), back.close()]);
  });
});

/** Whether some row of the request begins with 13, wherever it is cut. */
function hasThirteen(n: number, width: number, first: number): boolean {
  return Array.from({ length: n }, (_, row) => first + row * width).includes(13);
}

describe('a run that does not end', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());
  const turns = async (until: () => boolean) => {
    while (!until()) await new Promise((later) => setImmediate(later));
  };
  /** A model whose runs end when they are told to. */
  function held(pool = lanePool(1), lanes: readonly number[] = [0]) {
    const ends: (() => void)[] = [];
    const stuck: number[] = [];
    const { batcher } = negating({
      ...{ pool, lanes, timeout: 20, onStuck: (lane) => void stuck.push(lane) },
      async run(_, { x }) {
        await new Promise<void>((end) => ends.push(end));
        return { y: x as HostTensor };
      },
    });
    return { batcher, pool, ends, stuck };
  }

  it('is said, and nobody waits behind it: neither those who are there nor those who come', async () => {
    const { batcher, pool, ends, stuck } = held();
    const first = refusal(batcher.run([rows(1, 2, 1)], how(1)));
    await turns(() => ends.length === 1);
    const waiting = [1, 2, 3].map((width) => refusal(batcher.run([rows(8, width + 2, 1)], how(8))));
    vi.advanceTimersByTime(20);
    expect(await first).toBe('late');
    expect(await Promise.all(waiting)).toEqual(['unavailable', 'unavailable', 'unavailable']);
    expect(stuck).toEqual([0]);
    expect(pool.stuck).toBe(1);
    expect(batcher.waiting).toBe(0);
    const late = batcher.run([rows(1, 2, 1)], how(1));
    await expect(late).rejects.toMatchObject({ refusal: 'unavailable', retryAfter: 10 });
    expect(ends).toHaveLength(1);
  });

  it('is not what a machine does that stood still: the run gets its time again', async () => {
    let time = 0;
    const ends: (() => void)[] = [];
    const stuck: number[] = [];
    const { batcher } = negating({
      ...{ pool: lanePool(1), lanes: [0], timeout: 20, clock: () => time },
      onStuck: (lane) => void stuck.push(lane),
      async run(_, { x }) {
        await new Promise<void>((end) => ends.push(end));
        return { y: x as HostTensor };
      },
    });
    const [first, second] = [1, 2].map((value) => refusal(batcher.run([rows(8, 2, value)], how(8))));
    await turns(() => ends.length > 0);
    time += 60_000;
    vi.advanceTimersByTime(20);
    expect(stuck).toEqual([]);
    ends.shift()!();
    expect(await first).toBe('answered');
    await turns(() => ends.length > 0);
    time += 20;
    vi.advanceTimersByTime(20);
    expect(await second).toBe('late');
    expect(stuck).toEqual([0]);
    for (const end of ends) end();
    await batcher.close();
  });

  it('gives its thread back when it ends after all', async () => {
    const { batcher, pool, ends } = held();
    const first = refusal(batcher.run([rows(1, 2, 1)], how(1)));
    await turns(() => ends.length === 1);
    vi.advanceTimersByTime(20);
    expect(await first).toBe('late');
    ends[0]!();
    await turns(() => pool.stuck === 0);
    const again = batcher.run([rows(1, 2, 5)], how(1));
    await turns(() => ends.length === 2);
    ends[1]!();
    expect((await again).outputs[0]!.data).toEqual(Float32Array.of(5, 6));
    await batcher.close();
  });

  it('costs other models its thread, and no more', async () => {
    const pool = lanePool(2);
    const { batcher, ends } = held(pool, [0]);
    const run: Batching['run'] = async (_, { x }) => ({ y: x as HostTensor });
    const { batcher: other } = negating({ pool, lanes: [0, 1], run });
    const first = refusal(batcher.run([rows(1, 2, 1)], how(1)));
    await turns(() => ends.length === 1);
    vi.advanceTimersByTime(20);
    expect(await first).toBe('late');
    for (let i = 0; i < 5; i++) expect(await refusal(other.run([rows(1, 2, 1)], how(1)))).toBe('answered');
    ends[0]!();
    await Promise.all([batcher.close(), other.close()]);
  });
});
