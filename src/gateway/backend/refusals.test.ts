import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { graph, model, node, value } from '../../onnx/model.fixture.ts';
import type { ValueInfo } from '../../onnx/model.ts';
import { float32Tensor } from '../../onnx/tensor.ts';
import { serializeModel } from '../../onnx/write.ts';
import { type Engine, startEngine } from '../../runtime/engine.ts';
import { linearModel } from '../../threat/small-model.fixture.ts';
import type { BackendModel } from './backend-model.ts';
import { backendSchema } from './config-schema.ts';
import { openEmbedded } from './embedded.ts';
import { startEmbedded } from './embedded-runtime.ts';
import { loadedVersion } from './loaded-version.ts';
import { memoryBound } from './memory-bound.ts';
import { type BackendSurroundings, type Backends, openBackends } from './open-backends.ts';
import { portsOf } from './ports.ts';
import { joinedRows } from './rows.ts';
import { pieceRunner } from './run-pieces.ts';

const SIGNAL = new AbortController().signal;

describe('the models that are served', () => {
  let folder: string;
  let backends: Backends;
  const config = (more: object = {}) =>
    backendSchema.parse({
      threads: 1,
      models: { net: { file: 'net.onnx', check: { asGiven: true } } },
      ...more,
    });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'glacis-backend-refusals-'));
    const network = model(
      graph({
        inputs: [value('x', ['n', 3])],
        outputs: [value('y', ['n', 3])],
        nodes: [node('Add', ['x', 'b'], ['y'])],
        initializers: { b: float32Tensor([3], Float32Array.of(1, 2, 3)) },
      }),
    );
    await writeFile(join(folder, 'net.onnx'), serializeModel(network));
  });
  afterEach(async () => {
    await backends.close();
    await rm(folder, { recursive: true, force: true });
  });
  const start = async (rest: Partial<BackendSurroundings> = {}) => {
    const around: BackendSurroundings = {
      ...{ folder, env: {}, home: folder, now: Date.now, record: async () => {}, grace: 0 },
      wantsFeatures: () => false,
      failed: (where, thrown) => {
        throw new Error(where, { cause: thrown });
      },
      ...rest,
    };
    ({ backends } = await openBackends(config(), around));
  };

  it('keep the memory and the threads of the start', async () => {
    await start();
    for (const change of [{ memory: 2 ** 20 }, { threads: 2 }, { lostThreads: 3 }])
      await expect(backends.apply(config(change))).rejects.toMatchObject({
        code: 'option/invalid',
        message: expect.stringContaining('restart to change them'),
      });
    expect(await backends.apply(config())).toEqual([]);
  });

  it('are found by name, or nothing is done', async () => {
    await start();
    for (const work of [
      () => backends.rollback('other', 'ann'),
      () => backends.setCanary('other', undefined, 'ann'),
    ])
      await expect(work()).rejects.toMatchObject({
        code: 'option/invalid',
        message: "model: expected one that is served, got 'other'",
      });
  });

  it('get no canary while nothing may be promoted, and may lose the one they have', async () => {
    await start({ frozen: () => ({ order: 'O-1', since: 0, because: 'incident', served: {} }) });
    const canary = { version: '1', share: 0.5 };
    await expect(backends.setCanary('net', canary, 'ann')).rejects.toMatchObject({
      code: 'registry/refused',
      message: 'net: nothing is promoted (order O-1: incident)',
    });
    await backends.setCanary('net', undefined, 'ann');
  });

  it('are not changed any more once the server closes', async () => {
    await start();
    await backends.close();
    for (const work of [() => backends.apply(config()), () => backends.rollback('net', 'ann')])
      await expect(work()).rejects.toMatchObject({
        code: 'run/cancelled',
        message: 'models: the server is closing',
      });
  });
});

describe('a version', () => {
  it('neither answers nor explains once it is stopped, and does again when that is taken back', async () => {
    const backend = { run: async () => 'answer', explain: async () => 'explanation' };
    const about = { checks: [], key: '', recheck: async () => ({}) };
    const version = loadedVersion(backend as unknown as BackendModel, about);
    const ask = () => [version.served.run([], {} as never), version.served.explain!({} as never, SIGNAL)];
    expect(await Promise.all(ask())).toEqual(['answer', 'explanation']);
    version.stop('revoked');
    for (const asked of ask())
      await expect(asked).rejects.toMatchObject({ refusal: 'unavailable', because: 'revoked' });
    version.stop(undefined);
    expect(await Promise.all(ask())).toEqual(['answer', 'explanation']);
  });

  it('whose thread is gone says so, to callers and to the operator; one that fails fails alone', async () => {
    const engine = startEngine({ threads: 1 });
    let fails: string | undefined;
    const broken: Engine = {
      ...engine,
      async open(network, options) {
        const session = await engine.open(network, options);
        return {
          ...session,
          run: (feeds, how) =>
            fails === undefined ? session.run(feeds, how) : Promise.reject(new Error(fails)),
        };
      },
    };
    const runtime = startEmbedded(memoryBound(2 ** 30), { threads: 1, engine: broken });
    const network = linearModel([1, 0, 0, 1], [0, 0]);
    const served = await openEmbedded(network, runtime, {
      ...{ name: 'm', version: '1', digest: `sha256:${'0'.repeat(64)}`, classifier: {}, features: false },
      batching: { most: 16, wait: 0, longest: 20, timeout: 60_000, queue: 64, share: 'auto' },
      mostElements: 1000,
      again: async () => network,
    });
    const x = { name: 'x', datatype: 'FP32' as const, shape: [1, 2], data: Float32Array.of(1, 2) };
    const ask = () => served.run([x], { n: 1, signal: SIGNAL, features: false });
    fails = 'a kernel failed';
    await expect(ask()).rejects.toMatchObject({ refusal: 'failed', because: 'a kernel failed' });
    expect(runtime.broken).toBeUndefined();
    fails = "the runtime's thread failed: out of memory";
    await expect(ask()).rejects.toMatchObject({ refusal: 'unavailable', because: fails });
    expect(runtime.broken).toBe(fails);
    await served.close();
    await runtime.close();
  });
});

describe('the interface of a model', () => {
  const sequence = (name: string): ValueInfo => ({
    name,
    type: { kind: 'other', description: 'sequence', proto: undefined },
  });
  const odd = (name: string): ValueInfo => value(name, ['n'], 'complex64');
  const of = (inputs: readonly ValueInfo[], outputs: readonly ValueInfo[]) =>
    portsOf(model(graph({ inputs: [...inputs], outputs: [...outputs], nodes: [] })));

  it('has inputs and outputs of types of the protocol; outputs of others are left out where some remain', () => {
    const [x, y] = [value('x', ['n', 2]), value('y', ['n', 2])];
    expect(of([x], [y, sequence('z')]).outputs.map(({ name }) => name)).toEqual(['y']);
    expect(() => of([sequence('s')], [y])).toThrow(/^input s: expected a tensor .*, got sequence$/);
    expect(() => of([odd('c')], [y])).toThrow(/^input c: expected a tensor .*, got complex64$/);
    expect(() => of([x], [sequence('z')])).toThrow(/^output z: expected a tensor .*, got sequence$/);
    expect(() => of([x], [])).toThrow(/^model: expected an output, found none$/);
  });
});

describe('what a model answers', () => {
  const y = (shape: readonly number[]) => ({
    ...{ name: 'y', datatype: 'FP32' as const, shape },
    data: new Float32Array(shape.reduce((a, b) => a * b)),
  });

  it('has a row for each that it was asked about, or nobody gets any', async () => {
    const port = { name: 'y', datatype: 'FP32' as const, shape: [-1, 2], widened: false };
    let rows = 2;
    const answered: unknown[] = [];
    const run = pieceRunner(
      {
        ports: { inputs: [{ ...port, name: 'x' }], outputs: [port], rows: 'any' },
        run: async () => ({ y: { dtype: 'float32', dims: [rows, 2], data: new Float32Array(2 * rows) } }),
      },
      (piece) => answered.push(piece.outputs),
    );
    const piece = () =>
      ({ job: { inputs: [{ ...y([2, 2]), name: 'x' }], options: { n: 2 } }, from: 0, rows: 2 }) as never;
    await run(0, [piece()], 2);
    expect(answered).toHaveLength(1);
    for (rows of [1, 3])
      await expect(run(0, [piece()], 2)).rejects.toThrow(`output y: expected 2 rows, got [${rows}, 2]`);
    expect(answered).toHaveLength(1);
  });

  it('in parts is of one shape', () => {
    expect(joinedRows([y([1, 2]), y([3, 2])]).shape).toEqual([4, 2]);
    expect(() => joinedRows([y([1, 2]), y([1, 3])])).toThrow('output y: expected rows of one shape');
  });
});
