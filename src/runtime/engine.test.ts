import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DType } from '../onnx/dtype.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { graph, model, node, value } from '../onnx/model.fixture.ts';
import type { Model } from '../onnx/model.ts';
import { float32Tensor } from '../onnx/tensor.ts';
import { serializeModel } from '../onnx/write.ts';
import { f32, type HostTensor, i64 } from './array.ts';
import { availableDevices, DEVICES, deviceFrom } from './device.ts';
import { type Engine, startEngine } from './engine.ts';
import { blockSizeOf } from './layout.ts';
import { textBytes, textsFrom } from './text-tensor.ts';

let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

/** `y = 2x` for `x` of `[n]`. */
const doubling = model(
  graph({
    inputs: [value('x', ['n'])],
    outputs: [value('y', ['n'])],
    nodes: [node('Add', ['x', 'x'], ['y'])],
  }),
);

/** A chain of matrix products that keeps one thread busy for a while. */
function slowModel(size: number, depth: number): Model {
  const b = new GraphBuilder();
  let x = b.input('x', 'float32', [size, size]);
  for (let i = 0; i < depth; i++) x = b.add('MatMul', [x, x])[0]!;
  return b.build({ y: x });
}

describe('a lane that is replaced', () => {
  it('lets its run finish on the old thread, and others begin on the fresh one', async () => {
    const own = startEngine({ threads: 1 });
    const slow = await own.open(slowModel(128, 200));
    const before = await own.open(doubling);
    const running = slow.run({ x: f32(new Float32Array(128 * 128), [128, 128]) });
    const ended = own.replaceLane(0);
    const fresh = await own.open(doubling);
    expect((await fresh.run({ x: f32(Float32Array.of(1), [1]) })).y!.data).toEqual(Float32Array.of(2));
    await expect(before.run({ x: f32(Float32Array.of(1), [1]) })).rejects.toMatchObject({
      code: 'run/failed',
    });
    // Closing what went with the old thread waits for nothing.
    await Promise.all([before.close(), slow.close()]);
    expect((await running).y!.dims).toEqual([128, 128]);
    await ended;
    await own.close();
  });
});

describe('a session', () => {
  it('names its inputs and outputs and runs', async () => {
    const session = await engine.open(doubling);
    expect([session.inputs, session.outputs]).toEqual([['x'], ['y']]);
    const { y } = await session.run({ x: f32(Float32Array.of(1, 2, 3), [3]) });
    expect(y).toEqual({ dtype: 'float32', dims: [3], data: Float32Array.of(2, 4, 6) });
    await session.close();
  });

  it('carries outputs to the next run, and gives them only where they are asked for', async () => {
    const counting = model(
      graph({
        inputs: [value('x', [2]), value('total', [2])],
        outputs: [value('next', [2]), value('before', [2])],
        nodes: [node('Add', ['x', 'total'], ['next']), node('Identity', ['total'], ['before'])],
      }),
    );
    const session = await engine.open(counting, { carry: { total: 'next' } });
    const x = () => f32(Float32Array.of(1, 10), [2]);
    const zero = () => f32(new Float32Array(2), [2]);
    await expect(session.run({ x: x() })).rejects.toMatchObject({ code: 'data/mismatch' });
    const first = await session.run({ x: x(), total: zero() }, { transfer: true });
    expect(first).toEqual({ before: zero() });
    const second = await session.run({ x: x() }, { fetches: ['next'] });
    expect(second).toEqual({ next: f32(Float32Array.of(2, 20), [2]) });
    const sums = [];
    for (let i = 0; i < 4; i++) sums.push((await session.run({ x: x() })).before!.data[1]);
    expect(sums).toEqual([20, 30, 40, 50]);
    // What was given is the caller's own.
    expect(second.next!.data).toEqual(Float32Array.of(2, 20));
    expect((await session.run({ x: x(), total: zero() })).before).toEqual(zero());
    expect((await session.run({ x: x() })).before!.data).toEqual(Float32Array.of(1, 10));
    await session.close();
  });

  it('carries what is written over itself as it carries what is not', async () => {
    const decaying = model(
      graph({
        inputs: [value('x', [3]), value('mean', [3]), value('last', [3])],
        outputs: [value('mean/next', [3]), value('last/next', [3]), value('sum', [3])],
        nodes: [
          node('Add', ['mean', 'mean'], ['twice']),
          node('Add', ['twice', 'x'], ['mean/next']),
          node('Add', ['last', 'mean/next'], ['last/next']),
          node('Mul', ['last', 'x'], ['sum']),
        ],
      }),
    );
    const carry = { mean: 'mean/next', last: 'last/next' };
    const zero = () => f32(new Float32Array(3), [3]);
    const seen: unknown[] = [];
    // A model is looked through for what may be written over; bytes are not.
    for (const source of [decaying, serializeModel(decaying)]) {
      const session = await engine.open(source, { carry });
      const given = { mean: zero(), last: zero() };
      const results: unknown[] = [];
      for (let i = 1; i < 6; i++) {
        const x = f32(Float32Array.of(i, -i, 0.5), [3]);
        const fetches = i % 2 ? { fetches: ['sum', 'mean/next', 'last/next'] } : {};
        results.push(await session.run({ x, ...(i === 1 ? given : {}) }, fetches));
      }
      results.push(await session.run({ x: zero(), ...given }, { fetches: ['mean/next', 'last/next'] }));
      expect(given).toEqual({ mean: zero(), last: zero() });
      seen.push(results);
      await session.close();
    }
    expect(seen[0]).toEqual(seen[1]);
    expect(seen[0]).toMatchObject([
      { 'mean/next': f32(Float32Array.of(1, -1, 0.5), [3]) },
      {},
      {},
      {},
      {},
      {},
    ]);
  });

  it('opens bytes too, and leaves them whole', async () => {
    const bytes = serializeModel(doubling);
    const copy = bytes.slice();
    const session = await engine.open(bytes);
    expect(bytes).toEqual(copy);
    await session.close();
  });

  it('copies feeds, unless they are handed over', async () => {
    const session = await engine.open(doubling);
    const kept = Float32Array.of(1, 2);
    await session.run({ x: f32(kept, [2]) });
    expect(kept).toEqual(Float32Array.of(1, 2));
    await session.run({ x: f32(kept, [2]) }, { transfer: true });
    expect(kept.length).toBe(0);
    await expect(session.run({ x: f32(kept, [2]) }, { transfer: true })).rejects.toMatchObject({
      name: 'GlacisError',
      code: 'data/mismatch',
    });
    // That failure is over when it is reported: the session goes on.
    const { y } = await session.run({ x: f32(Float32Array.of(5), [1]) });
    expect(y!.data).toEqual(Float32Array.of(10));
    await session.close();
  });

  it('takes a part of a larger array', async () => {
    const session = await engine.open(doubling);
    const { y } = await session.run({ x: f32(Float32Array.of(1, 2, 3, 4).subarray(1, 3), [2]) });
    expect(y!.data).toEqual(Float32Array.of(4, 6));
    await session.close();
  });

  it('computes only what is fetched', async () => {
    const two = model(
      graph({
        inputs: [value('x', ['n'])],
        outputs: [value('a', ['n']), value('b', ['n'])],
        nodes: [node('Neg', ['x'], ['a']), node('Abs', ['x'], ['b'])],
      }),
    );
    const session = await engine.open(two);
    const x = f32(Float32Array.of(-1), [1]);
    expect(Object.keys(await session.run({ x }))).toEqual(['a', 'b']);
    expect(Object.keys(await session.run({ x }, { fetches: ['b'] }))).toEqual(['b']);
    await expect(session.run({ x }, { fetches: ['c'] })).rejects.toMatchObject({
      code: 'data/mismatch',
      message: "run: expected an output of a, b, got 'c'",
    });
    await session.close();
  });

  const odd = (dims: number[], data: unknown, dtype: DType = 'float32'): HostTensor => ({
    dtype,
    dims,
    data: data as Float32Array,
  });
  it.each<[string, Record<string, HostTensor>, string, RegExp]>([
    ['no input', {}, 'data/mismatch', /expected an input 'x', got none/],
    ['another name', { z: f32(Float32Array.of(1), [1]) }, 'data/mismatch', /expected an input 'x', got z/],
    [
      'too few bytes',
      { x: odd([3], Float32Array.of(1)) },
      'data/mismatch',
      /input x: expected 12 bytes for float32\[3\], got 4/,
    ],
    ['negative sizes', { x: odd([-1, -1], Float32Array.of(1)) }, 'data/mismatch', /input x/],
    ['sizes that are no number', { x: odd([Number.NaN], Float32Array.of(1)) }, 'data/mismatch', /input x/],
    ['another rank', { x: f32(Float32Array.of(1), [1, 1]) }, 'run/failed', /rank|dimension/i],
    ['another type', { x: i64([1]) }, 'run/failed', /type/i],
    ['an array of another type', { x: odd([1], Int32Array.of(1)) }, 'data/mismatch', /input x/],
    [
      'broken text',
      { x: odd([1], Uint8Array.of(1), 'string') },
      'data/mismatch',
      /input x: expected 1 texts, got an end inside text 0/,
    ],
  ])('refuses %s', async (_, feeds, code, message) => {
    const session = await engine.open(doubling);
    await expect(session.run(feeds)).rejects.toMatchObject({
      name: 'GlacisError',
      code,
      message: expect.stringMatching(message),
    });
    await session.close();
  });

  it('says that it is closed', async () => {
    const session = await engine.open(doubling);
    await session.close();
    await session.close();
    await expect(session.run({ x: f32(Float32Array.of(1), [1]) })).rejects.toMatchObject({
      code: 'run/failed',
      message: 'run: the session is closed',
    });
  });

  it.each<[DType, HostTensor['data']]>([
    ['float16', Uint16Array.of(0x3c00, 0xc000, 0x7c00, 0x0001)],
    ['float64', Float64Array.of(1.1, -2, Number.POSITIVE_INFINITY, 1e300)],
    ['int64', BigInt64Array.of(1n, -(2n ** 63n), 2n ** 63n - 1n, 0n)],
    ['uint64', BigUint64Array.of(2n ** 64n - 1n, 0n, 1n, 2n)],
    ['int32', Int32Array.of(1, -(2 ** 31), 2 ** 31 - 1, 0)],
    ['bool', Uint8Array.of(1, 0, 0, 1)],
    ['uint8', Uint8Array.of(255, 0, 1, 128)],
    ['int8', Int8Array.of(-128, 127, 0, 1)],
  ])('carries %s there and back', async (dtype, data) => {
    const same = model(
      graph({
        inputs: [value('x', [2, 2], dtype)],
        outputs: [value('y', [2, 2], dtype)],
        nodes: [node('Reshape', ['x', 'shape'], ['y'])],
        initializers: {
          shape: { dtype: 'int64', dims: [2], data: new Uint8Array(BigInt64Array.of(2n, 2n).buffer) },
        },
      }),
    );
    const session = await engine.open(same);
    const { y } = await session.run({ x: { dtype, dims: [2, 2], data } });
    expect(y).toEqual({ dtype, dims: [2, 2], data });
    await session.close();
  });

  it('gives empty tensors back', async () => {
    const session = await engine.open(doubling);
    expect((await session.run({ x: f32(new Float32Array(0), [0]) })).y).toEqual(
      f32(new Float32Array(0), [0]),
    );
    await session.close();
  });

  it('carries texts there and back, empty ones and those of several bytes a letter', async () => {
    const same = model(
      graph({
        inputs: [value('x', [3], 'string')],
        outputs: [value('y', [3], 'string')],
        nodes: [node('Identity', ['x'], ['y'])],
      }),
    );
    const session = await engine.open(same);
    const data = textBytes(['', 'größer', '🙂'.repeat(1000)]);
    const { y } = await session.run({ x: { dtype: 'string', dims: [3], data } });
    expect(y).toEqual({ dtype: 'string', dims: [3], data });
    await session.close();
  });

  it.each([
    ['an end inside a length', Uint8Array.of(1, 0, 0)],
    ['a length beyond the end', Uint8Array.of(255, 255, 255, 255, 65)],
    ['bytes that are no UTF-8', Uint8Array.of(1, 0, 0, 0, 255)],
    ['a zero byte, at which the runtime would cut', Uint8Array.of(2, 0, 0, 0, 65, 0)],
    ['bytes after the last text', Uint8Array.of(0, 0, 0, 0, 1)],
  ])('refuses a text with %s', async (_, data) => {
    expect(() => textsFrom(data, 1, 'x')).toThrow(expect.objectContaining({ code: 'data/mismatch' }));
  });
});

describe('an engine', () => {
  it('refuses a model that the runtime refuses, with its reason', async () => {
    await expect(engine.open(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({
      code: 'run/failed',
      message: expect.stringMatching(/^ONNX Runtime refuses the model: /),
    });
    await expect(engine.open('/nowhere/model.onnx')).rejects.toMatchObject({ code: 'run/failed' });
  });

  it('keeps many sessions apart and runs what is asked at once in order', async () => {
    const sessions = await Promise.all(
      Array.from({ length: 12 }, (_, k) =>
        engine.open(
          model(
            graph({
              inputs: [value('x', [1])],
              outputs: [value('y', [1])],
              nodes: [node('Add', ['x', 'k'], ['y'])],
              initializers: { k: float32Tensor([1], [k]) },
            }),
          ),
        ),
      ),
    );
    const order: number[] = [];
    const results = await Promise.all(
      Array.from({ length: 36 }, async (_, i) => {
        const { y } = await sessions[i % 12]!.run({ x: f32(Float32Array.of(100 * i), [1]) });
        order.push(i);
        return (y!.data as Float32Array)[0];
      }),
    );
    expect(results).toEqual(Array.from({ length: 36 }, (_, i) => 100 * i + (i % 12)));
    expect(order).toEqual(Array.from({ length: 36 }, (_, i) => i));
    for (const s of sessions) await s.close();
  });

  it('leaves the calling thread free during a long run', async () => {
    const session = await engine.open(slowModel(256, 150));
    const x = f32(new Float32Array(256 * 256), [256, 256]);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const began = performance.now();
    // Long enough on any machine: again until it took 200 ms.
    let longest = 0;
    while (performance.now() - began < 200) {
      const from = performance.now();
      await session.run({ x });
      longest = Math.max(longest, performance.now() - from);
    }
    const took = performance.now() - began;
    clearInterval(timer);
    await session.close();
    expect(longest).toBeGreaterThan(20);
    expect(ticks).toBeGreaterThan(took / 5 / 8);
  });

  it('lets a run finish when it is closed, and takes nothing after that', async () => {
    const own = startEngine({ threads: 1 });
    const session = await own.open(slowModel(128, 40));
    const running = session.run({ x: f32(new Float32Array(128 * 128), [128, 128]) });
    const closing = [own.close(), own.close()];
    await expect(own.open(doubling)).rejects.toMatchObject({
      code: 'run/failed',
      message: 'the engine is closed',
    });
    expect((await running).y!.dims).toEqual([128, 128]);
    await Promise.all(closing);
    await own.close();
    await session.close();
    await expect(session.run({})).rejects.toMatchObject({
      code: 'run/failed',
      message: 'the engine is closed',
    });
  });

  it('can be closed after a feed that could not be posted', async () => {
    const own = startEngine({ threads: 1 });
    const session = await own.open(doubling);
    const unfit = {
      dtype: 'float32',
      dims: [1],
      data: Object.assign(Float32Array.of(1)),
      f() {},
    } as unknown as HostTensor;
    await expect(session.run({ x: unfit })).rejects.toMatchObject({ code: 'data/mismatch' });
    await own.close();
  });

  it('lets the process end by itself while it is idle', async () => {
    const engineUrl = new URL('./engine.ts', import.meta.url).href;
    const builderUrl = new URL('../onnx/graph-builder.ts', import.meta.url).href;
    const program = `
      const { startEngine } = await import(${JSON.stringify(engineUrl)});
      const { GraphBuilder } = await import(${JSON.stringify(builderUrl)});
      const b = new GraphBuilder();
      const y = b.add('Neg', [b.input('x', 'float32', [1])])[0];
      const session = await startEngine({ threads: 1 }).open(b.build({ y }));
      const out = await session.run({ x: { dtype: 'float32', dims: [1], data: Float32Array.of(3) } });
      console.log(out.y.data[0]);`;
    const folder = await mkdtemp(join(tmpdir(), 'glacis-engine-'));
    const file = join(folder, 'program.mjs');
    await writeFile(file, program);
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 20_000 });
      expect(stdout.trim()).toBe('-3');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('devices', () => {
  it('are those of the installed runtime, the CPU always', () => {
    expect(availableDevices()).toContain('cpu');
    expect(deviceFrom('cpu')).toBe('cpu');
  });

  it('that Glacis or this runtime does not know are refused', () => {
    expect(() => deviceFrom('gpu')).toThrow(`--device: expected ${DEVICES.join(', ')}, got 'gpu'`);
    for (const device of DEVICES) {
      if (availableDevices().includes(device)) expect(deviceFrom(device)).toBe(device);
      else expect(() => deviceFrom(device)).toThrow(/see docs\/devices\.md/);
    }
    expect(availableDevices().length).toBeLessThan(DEVICES.length);
  });

  it('that cannot open a session are named in the error', async () => {
    const missing = DEVICES.find((d) => !availableDevices().includes(d))!;
    const own = startEngine({ device: missing, threads: 1 });
    await expect(own.open(doubling)).rejects.toMatchObject({ code: 'device/unavailable' });
    expect(await blockSizeOf(own)).toBe(0);
    await own.close();
  });
});

describe('blockSizeOf', () => {
  it('is a size that the kernels have, or 0', async () => {
    expect([0, 4, 8, 16]).toContain(await blockSizeOf(engine));
  });

  it('is 0 when the engine cannot answer', async () => {
    const own = startEngine({ threads: 1 });
    await own.close();
    expect(await blockSizeOf(own)).toBe(0);
  });
});
