import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import type { Tensor } from '../../oip/tensor.ts';
import { DTYPE_CODES, type DType } from '../../onnx/dtype.ts';
import { graph, model, node, value } from '../../onnx/model.fixture.ts';
import type { Model } from '../../onnx/model.ts';
import { readModel } from '../../onnx/read.ts';
import { float32Tensor, int64Tensor, toBfloat16Bits, toFloat16Bits } from '../../onnx/tensor.ts';
import { f32 } from '../../runtime/array.ts';
import type { RunOptions } from '../served-model.ts';
import type { BackendModel } from './backend-model.ts';
import { type EmbeddedOptions, openEmbedded } from './embedded.ts';
import { type EmbeddedRuntime, startEmbedded } from './embedded-runtime.ts';
import { memoryBound } from './memory-bound.ts';

let runtime: EmbeddedRuntime;
beforeAll(() => {
  runtime = startEmbedded(memoryBound(2 ** 30), { threads: 2 });
});
afterAll(() => runtime.close());

const BATCHING = { most: 16, wait: 0, longest: 20, timeout: 10_000, queue: 64, share: 'auto' } as const;
const open = (source: Model, options: Partial<EmbeddedOptions> = {}): Promise<BackendModel> =>
  openEmbedded(source, runtime, {
    name: 'm',
    version: '1',
    digest: `sha256:${'0'.repeat(64)}`,
    batching: BATCHING,
    classifier: {},
    features: false,
    mostElements: 1000,
    again: async () => source,
    ...options,
  });
const how = (n: number, rest: Partial<RunOptions> = {}): RunOptions => ({
  n,
  signal: new AbortController().signal,
  features: false,
  ...rest,
});
const floats = (name: string, shape: readonly number[], values: readonly number[]): Tensor => ({
  name,
  datatype: 'FP32',
  shape,
  data: Float32Array.from(values),
});

describe('an embedded model', () => {
  it.each<[string, DType, Tensor]>([
    ['BOOL', 'bool', { name: 'x', datatype: 'BOOL', shape: [2, 2], data: Uint8Array.of(1, 0, 0, 1) }],
    ['UINT8', 'uint8', { name: 'x', datatype: 'UINT8', shape: [2, 2], data: Uint8Array.of(1, 0, 255, 1) }],
    [
      'UINT16',
      'uint16',
      { name: 'x', datatype: 'UINT16', shape: [2, 2], data: Uint16Array.of(1, 0, 65535, 1) },
    ],
    [
      'UINT32',
      'uint32',
      { name: 'x', datatype: 'UINT32', shape: [2, 2], data: Uint32Array.of(1, 0, 2 ** 32 - 1, 1) },
    ],
    [
      'UINT64',
      'uint64',
      { name: 'x', datatype: 'UINT64', shape: [2, 2], data: BigUint64Array.of(1n, 0n, 2n ** 64n - 1n, 1n) },
    ],
    ['INT8', 'int8', { name: 'x', datatype: 'INT8', shape: [2, 2], data: Int8Array.of(1, 0, -128, 127) }],
    [
      'INT16',
      'int16',
      { name: 'x', datatype: 'INT16', shape: [2, 2], data: Int16Array.of(1, 0, -32768, 32767) },
    ],
    [
      'INT32',
      'int32',
      { name: 'x', datatype: 'INT32', shape: [2, 2], data: Int32Array.of(1, 0, -(2 ** 31), 5) },
    ],
    [
      'INT64',
      'int64',
      { name: 'x', datatype: 'INT64', shape: [2, 2], data: BigInt64Array.of(1n, 0n, -(2n ** 63n), 5n) },
    ],
    [
      'FP16',
      'float16',
      { name: 'x', datatype: 'FP16', shape: [2, 2], data: Uint16Array.from([1, 0.5, -2, 3], toFloat16Bits) },
    ],
    [
      'BF16',
      'bfloat16',
      { name: 'x', datatype: 'BF16', shape: [2, 2], data: Uint16Array.from([1, 0.5, -2, 3], toBfloat16Bits) },
    ],
    ['FP32', 'float32', floats('x', [2, 2], [1, 0.5, -2, 3e38])],
    [
      'FP64',
      'float64',
      { name: 'x', datatype: 'FP64', shape: [2, 2], data: Float64Array.of(1, 0.5, -2e300, 3) },
    ],
    [
      'BYTES',
      'string',
      { name: 'x', datatype: 'BYTES', shape: [2, 2], data: ['', 'ä', 'b', '🙂'].map((t) => Buffer.from(t)) },
    ],
  ])('takes and gives %s', async (datatype, dtype, x) => {
    const served = await open(
      model(
        graph({
          inputs: [value('x', ['n', 2], dtype)],
          outputs: [value('y', ['n', 2], dtype)],
          nodes: [node('Identity', ['x'], ['y'])],
        }),
      ),
    );
    expect(served.metadata.inputs).toEqual([{ name: 'x', datatype, shape: [-1, 2] }]);
    const { outputs } = await served.run([x], how(2));
    expect(outputs).toEqual([
      { ...x, name: 'y', data: x.datatype === 'BYTES' ? x.data.map((t) => new Uint8Array(t)) : x.data },
    ]);
    // Two callers at once, so that their rows are joined and cut.
    const both = await Promise.all([served.run([x], how(2)), served.run([x], how(2))]);
    for (const { outputs: each } of both) expect(each[0]!.data).toEqual(outputs[0]!.data);
    await served.close();
  });

  it('gives several outputs of several types, each a row for each sample', async () => {
    const served = await open(
      model(
        graph({
          inputs: [value('x', ['n', 3]), value('k', ['n'], 'int64')],
          outputs: [value('best', ['n', 1], 'int64'), value('sum', ['n', 3])],
          nodes: [
            node('ArgMax', ['x'], ['best'], { axis: { kind: 'int', value: 1 } }),
            node('Cast', ['k'], ['f'], { to: { kind: 'int', value: DTYPE_CODES.float32 } }),
            node('Unsqueeze', ['f', 'one'], ['u']),
            node('Add', ['x', 'u'], ['sum']),
          ],
          initializers: { one: int64Tensor([1], [1]) },
        }),
      ),
    );
    const ask = (x: number[], k: bigint) =>
      served.run(
        [floats('x', [1, 3], x), { name: 'k', datatype: 'INT64', shape: [1], data: BigInt64Array.of(k) }],
        how(1),
      );
    const [a, b] = await Promise.all([ask([1, 3, 2], 10n), ask([5, 0, 0], 20n)]);
    expect(a.outputs).toEqual([
      { name: 'best', datatype: 'INT64', shape: [1, 1], data: BigInt64Array.of(1n) },
      floats('sum', [1, 3], [11, 13, 12]),
    ]);
    expect(b.outputs[1]).toEqual(floats('sum', [1, 3], [25, 20, 20]));
    await served.close();
  });

  it('of a fixed batch takes any number of samples', async () => {
    for (const rows of [1, 4]) {
      const served = await open(
        model(
          graph({
            inputs: [value('x', [rows, 2])],
            outputs: [value('y', [rows, 2])],
            nodes: [node('Add', ['x', 'x'], ['y'])],
          }),
        ),
      );
      expect(served.metadata.inputs[0]!.shape).toEqual([-1, 2]);
      const n = 6;
      const x = Array.from({ length: 2 * n }, (_, i) => i);
      const { outputs } = await served.run([floats('x', [n, 2], x)], how(n));
      expect(outputs).toEqual([
        floats(
          'y',
          [n, 2],
          x.map((v) => 2 * v),
        ),
      ]);
      await served.close();
    }
  });

  it('without a batch axis runs each request by itself', async () => {
    const served = await open(
      model(
        graph({
          inputs: [value('x', [3]), value('s', [])],
          outputs: [value('y', [])],
          nodes: [
            node('Mul', ['x', 's'], ['z']),
            node('ReduceSum', ['z'], ['y'], { keepdims: { kind: 'int', value: 0 } }),
          ],
        }),
      ),
    );
    expect(served.metadata.inputs.map(({ shape }) => shape)).toEqual([[3], []]);
    const asked = [1, 2, 3].map((s) =>
      served.run([floats('x', [3], [1, 2, 3]), floats('s', [], [s])], how(1)),
    );
    expect((await Promise.all(asked)).map(({ outputs }) => outputs[0])).toEqual(
      [6, 12, 18].map((sum) => floats('y', [], [sum])),
    );
    await served.close();
  });

  it('whose samples influence each other never mixes callers', async () => {
    // Softmax over the batch: the answer to a sample depends on who else is there.
    const served = await open(
      model(
        graph({
          inputs: [value('x', ['n', 2])],
          outputs: [value('y', ['n', 2])],
          nodes: [node('Softmax', ['x'], ['y'], { axis: { kind: 'int', value: 0 } })],
        }),
      ),
    );
    expect(served.notes.join()).toMatch(/one by one/);
    const asked = Array.from({ length: 8 }, () => served.run([floats('x', [1, 2], [1, 2])], how(1)));
    for (const { outputs } of await Promise.all(asked))
      expect(outputs[0]!.data).toEqual(Float32Array.of(1, 1));
    const { outputs } = await served.run([floats('x', [2, 2], [1, 2, 1, 2])], how(2));
    expect(outputs[0]!.data).toEqual(Float32Array.of(0.5, 0.5, 0.5, 0.5));
    await served.close();
  });

  it('with open sizes joins only requests of one shape', async () => {
    const served = await open(
      model(
        graph({
          inputs: [value('x', ['n', 'length'])],
          outputs: [value('y', ['n', 1])],
          nodes: [node('ReduceSum', ['x', 'one'], ['y'])],
          initializers: { one: int64Tensor([1], [1]) },
        }),
      ),
    );
    const asked = [2, 3, 2, 5, 3].map((length) =>
      served.run([floats('x', [1, length], new Array(length).fill(length))], how(1)),
    );
    const sums = (await Promise.all(asked)).map(({ outputs }) => outputs[0]!.data);
    expect(sums).toEqual([4, 9, 4, 25, 9].map((sum) => Float32Array.of(sum)));
    await served.close();
  });

  it('is a classifier where one float input leads to scores, and says what they are', async () => {
    const w = float32Tensor([2, 3], [1, 2, 3, 4, 5, 6]);
    const build = (last: Parameters<typeof node>, metadata = new Map<string, string>()) =>
      model(
        graph({
          inputs: [value('x', ['n', 2])],
          outputs: [value('y', ['n', 3])],
          nodes: [node('MatMul', ['x', 'w'], ['z']), node(...last)],
          initializers: { w },
        }),
        { metadata },
      );
    const logits = await open(build(['Identity', ['z'], ['y']]), { features: true });
    expect(logits.classifier).toEqual({
      input: 'x',
      sampleDims: [2],
      output: 'y',
      classes: 3,
      gives: 'logits',
      features: 2,
    });
    const asked = await logits.run([floats('x', [2, 2], [1, 2, 3, 4])], how(2, { features: true }));
    expect(asked.features).toEqual(Float32Array.of(1, 2, 3, 4));
    expect((await logits.run([floats('x', [1, 2], [1, 2])], how(1))).features).toBeUndefined();
    const labels = new Map([['labels', 'stop, yield, go']]);
    const probabilities = await open(build(['Softmax', ['z'], ['y']], labels));
    expect(probabilities.classifier).toMatchObject({
      gives: 'probabilities',
      names: ['stop', 'yield', 'go'],
    });
    const over = await open(
      model(
        graph({
          inputs: [value('x', ['n', 2])],
          outputs: [value('y', ['n', 1])],
          nodes: [node('ReduceSum', ['x', 'one'], ['y'])],
          initializers: { one: int64Tensor([1], [1]) },
        }),
      ),
    );
    expect(over.classifier).toBeUndefined();
    await Promise.all([logits, probabilities, over].map((each) => each.close()));
  });

  it('refuses text that the runtime would cut, before it is joined with others', async () => {
    const served = await open(
      model(
        graph({
          inputs: [value('x', ['n'], 'string')],
          outputs: [value('y', ['n'], 'string')],
          nodes: [node('Identity', ['x'], ['y'])],
        }),
      ),
    );
    for (const bytes of [Uint8Array.of(65, 0), Uint8Array.of(255)])
      await expect(
        served.run([{ name: 'x', datatype: 'BYTES', shape: [1], data: [bytes] }], how(1)),
      ).rejects.toMatchObject({ refusal: 'mismatched' });
    await served.close();
  });

  it("answers others although one caller's input makes the run fail", async () => {
    const served = await open(
      model(
        graph({
          inputs: [value('i', ['n'], 'int64')],
          outputs: [value('y', ['n'])],
          nodes: [node('Gather', ['table', 'i'], ['y'])],
          initializers: { table: float32Tensor([2], [10, 20]) },
        }),
      ),
    );
    const ask = (i: bigint) =>
      served.run([{ name: 'i', datatype: 'INT64', shape: [1], data: BigInt64Array.of(i) }], how(1));
    const asked = [0n, 1n, 99n, 1n, 0n, -77n, 1n].map(ask);
    const ends = await Promise.allSettled(asked);
    expect(
      ends.map((end) =>
        end.status === 'fulfilled' ? end.value.outputs[0]!.data : (end.reason as { refusal: string }).refusal,
      ),
    ).toEqual([
      Float32Array.of(10),
      Float32Array.of(20),
      'failed',
      Float32Array.of(20),
      Float32Array.of(10),
      'failed',
      Float32Array.of(20),
    ]);
    await served.close();
  });

  it('drops whoever has gone or is too late before a run', async () => {
    const served = await open(
      model(
        graph({
          inputs: [value('x', ['n'])],
          outputs: [value('y', ['n'])],
          nodes: [node('Relu', ['x'], ['y'])],
        }),
      ),
    );
    const gone = new AbortController();
    const asked = [
      served.run([floats('x', [1], [1])], how(1, { signal: gone.signal })),
      served.run([floats('x', [1], [2])], how(1, { deadline: performance.now() - 1 })),
      served.run([floats('x', [1], [3])], how(1)),
    ];
    gone.abort();
    const ends = await Promise.allSettled(asked);
    expect(
      ends.map((end) =>
        end.status === 'fulfilled' ? 'answered' : (end.reason as { refusal: string }).refusal,
      ),
    ).toEqual(['late', 'late', 'answered']);
    await served.close();
  });

  it('refuses more than may wait, and says when to come again', async () => {
    const served = await open(
      model(
        graph({
          inputs: [value('x', ['n'])],
          outputs: [value('y', ['n'])],
          nodes: [node('Relu', ['x'], ['y'])],
        }),
      ),
      { batching: { ...BATCHING, queue: 4 } },
    );
    const ends = await Promise.allSettled(
      Array.from({ length: 10 }, () => served.run([floats('x', [1], [1])], how(1))),
    );
    const refused = ends.filter((end) => end.status === 'rejected');
    expect(refused).toHaveLength(6);
    for (const { reason } of refused)
      expect(reason).toMatchObject({ refusal: 'unavailable', retryAfter: expect.any(Number) });
    expect((await served.run([floats('x', [1], [5])], how(1))).outputs[0]!.data).toEqual(Float32Array.of(5));
    await served.close();
  });

  it('finishes what it took when it is closed, and takes nothing more', async () => {
    const served = await open(
      model(
        graph({
          inputs: [value('x', ['n'])],
          outputs: [value('y', ['n'])],
          nodes: [node('Relu', ['x'], ['y'])],
        }),
      ),
    );
    const asked = Array.from({ length: 5 }, () => served.run([floats('x', [1], [1])], how(1)));
    const closing = served.close();
    await expect(served.run([floats('x', [1], [1])], how(1))).rejects.toMatchObject({
      refusal: 'unavailable',
    });
    expect(await Promise.all(asked)).toHaveLength(5);
    await closing;
  });

  it('whose sizes are open takes only so much of a sample', async () => {
    const served = await open(
      model(
        graph({
          inputs: [value('x', ['n', 'length'])],
          outputs: [value('y', ['n', 'length'])],
          nodes: [node('Relu', ['x'], ['y'])],
        }),
      ),
    );
    const ask = (length: number) => served.run([floats('x', [1, length], new Array(length).fill(1))], how(1));
    expect((await ask(1000)).outputs[0]!.shape).toEqual([1, 1000]);
    await expect(ask(1001)).rejects.toMatchObject({ refusal: 'too-large' });
    await served.close();
  });

  it('with operators of a library that nobody loads is refused', async () => {
    const custom = model(
      graph({
        inputs: [value('x', ['n'])],
        outputs: [value('y', ['n'])],
        nodes: [node('Steal', ['x'], ['y'], {}, { domain: 'com.example' })],
      }),
      {
        opsets: new Map([
          ['', 17],
          ['com.example', 1],
        ]),
      },
    );
    await expect(open(custom)).rejects.toMatchObject({ code: 'run/failed' });
  });

  it('is not loaded beyond the memory for all models, and gives it back', async () => {
    const memory = memoryBound(1000);
    const small = { ...runtime, memory };
    const source = model(
      graph({
        inputs: [value('x', ['n', 10])],
        outputs: [value('y', ['n', 10])],
        nodes: [node('Add', ['x', 'b'], ['y'])],
        initializers: { b: float32Tensor([10, 1, 10], new Float32Array(100)) },
      }),
    );
    const options: EmbeddedOptions = {
      name: 'm',
      version: '1',
      digest: '',
      batching: BATCHING,
      classifier: {},
      features: false,
      mostElements: 1000,
      again: async () => source,
    };
    await expect(openEmbedded(source, small, options)).rejects.toMatchObject({ code: 'model/too-large' });
    expect(memory.used).toBe(0);
  });
});

describe('a batch', () => {
  const names = ['mnist-cnn', 'mnist-vit', 'cifar10-resnet14'];
  it.each(names)('of %s answers each caller as if alone, whoever else asks', async (name) => {
    const path = join(process.env.GLACIS_SHARED ?? '../shared', 'models', `${name}.onnx`);
    if (!existsSync(path)) return expect(process.env.CI, `${path} is not there`).toBeUndefined();
    const file = await readModel(path);
    const served = await open(file, { features: true, batching: { ...BATCHING, queue: 1000 } });
    const dims = served.classifier!.sampleDims;
    const size = dims.reduce((a, b) => a * b);
    const rng = randomFrom(3, name);
    const counts = Array.from({ length: 24 }, (_, i) => (i % 7 === 0 ? 20 : 1 + (i % 3)));
    const requests = counts.map((n) => Float32Array.from({ length: n * size }, () => rng.uniform()));
    const before = requests.map((x) => x.slice());
    const answers = await Promise.all(
      requests.map((x, i) =>
        served.run(
          [{ name: 'input', datatype: 'FP32', shape: [counts[i]!, ...dims], data: x }],
          how(counts[i]!, { features: i % 2 === 0 }),
        ),
      ),
    );
    const alone = await runtime.engine.open(file, { threads: 1 });
    for (const [i, x] of requests.entries()) {
      // What a caller sent stays as it was: guards and the log read it afterwards.
      expect(x).toEqual(before[i]);
      const { logits } = await alone.run({ input: f32(x, [counts[i]!, ...dims]) });
      const got = answers[i]!.outputs[0]!;
      expect(got.shape).toEqual(logits!.dims);
      const worst = (got.data as Float32Array).reduce(
        (most, v, j) => Math.max(most, Math.abs(v - Number(logits!.data[j]))),
        0,
      );
      expect(worst).toBeLessThan(2e-5);
      expect(answers[i]!.features?.length).toBe(
        i % 2 === 0 ? counts[i]! * served.classifier!.features! : undefined,
      );
    }
    await alone.close();
    await served.close();
  });
});
