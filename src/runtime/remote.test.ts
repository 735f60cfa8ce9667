import { afterEach, describe, expect, it } from 'vitest';
import { LINEAR, linearSamples, linearScores } from '../../test/oip/linear.ts';
import type { ServedModel } from '../../test/oip/model.ts';
import { type OipServer, type ServerOptions, startServer } from '../../test/oip/server.ts';
import { openRemote, type RemoteOptions, type RemoteOracle } from './index.ts';

const servers: OipServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function serve(model: Partial<ServedModel> = {}, options: ServerOptions = {}): Promise<OipServer> {
  const server = await startServer({ ...LINEAR, ...model }, options);
  servers.push(server);
  return server;
}

async function opened(
  options: RemoteOptions = {},
  model: Partial<ServedModel> = {},
  how: ServerOptions = {},
): Promise<{ readonly server: OipServer; readonly oracle: RemoteOracle }> {
  const server = await serve(model, how);
  return { server, oracle: await openRemote(server.url, options) };
}

const error = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

describe('a model behind an endpoint', () => {
  it('is found by its metadata and one question', async () => {
    const { server, oracle } = await opened();
    expect(oracle).toMatchObject({
      url: server.url,
      sampleDims: [2, 2],
      classes: 3,
      batch: 64,
      parallel: 4,
      input: 'x',
      output: 'y',
      format: 'binary',
      fixedBatch: false,
      traffic: { requests: 2, rows: 1, answered: 0, repeated: 0 },
    });
  });

  it('is found under a version, too', async () => {
    const server = await serve();
    expect((await openRemote(`${server.url}/versions/1`)).classes).toBe(3);
  });

  it.each(['binary', 'json'] as const)('answers bit for bit in %s, whatever the batch', async (format) => {
    const { oracle } = await opened({ format, batch: 5 });
    const samples = linearSamples(13);
    for (const n of [0, 1, 5, 13]) expect(await oracle.ask(samples, n)).toEqual(linearScores(samples, n));
    expect(oracle.traffic.answered).toBe(19);
  });

  it('is asked about 1,000 samples with at most `parallel` requests under way', async () => {
    const { server, oracle } = await opened(
      { batch: 10, parallel: 3 },
      {
        async answer(x, n) {
          // Long enough that the next requests arrive meanwhile, on a busy machine, too.
          await new Promise((resolve) => setTimeout(resolve, 20));
          return linearScores(x, n);
        },
      },
    );
    const samples = linearSamples(1000);
    const parts = [samples.subarray(0, 2400), samples.subarray(2400)];
    const answers = await Promise.all([oracle.ask(parts[0]!, 600), oracle.ask(parts[1]!, 400)]);
    expect(Float32Array.from([...answers[0]!, ...answers[1]!])).toEqual(linearScores(samples, 1000));
    expect(server.received.atOnce).toBe(3);
    expect(server.received.samples).toBe(1001);
  });

  it.each(['FP16', 'BF16', 'FP64'] as const)('is sent %s where it wants that', async (datatype) => {
    const { oracle } = await opened({}, { datatype });
    const samples = linearSamples(4);
    expect(oracle.format).toBe('binary');
    expect(await oracle.ask(samples, 4)).toEqual(linearScores(samples, 4));
  });

  it('is filled up where its batch size is fixed', async () => {
    const { server, oracle } = await opened({ batch: 64 }, { batch: 4 });
    expect(oracle).toMatchObject({ batch: 4, fixedBatch: true });
    const samples = linearSamples(6);
    expect(await oracle.ask(samples, 6)).toEqual(linearScores(samples, 6));
    expect(server.received.batches).toEqual([4, 4, 4]);
    expect(oracle.traffic).toMatchObject({ rows: 12, answered: 6 });
  });

  it('may leave the shape open: the user gives it', async () => {
    const metadata = { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, -1, 2] }] };
    const { oracle, server } = await opened({ sampleDims: [2, 2] }, { metadata });
    expect(await oracle.ask(linearSamples(2), 2)).toEqual(linearScores(linearSamples(2), 2));
    await expect(openRemote(server.url)).rejects.toThrow(error('model/dynamic-shape', /give the shape/));
  });

  it('need not be described at all: the user names the input', async () => {
    const metadata = { inputs: [], outputs: [] };
    const { oracle, server } = await opened({ input: 'x', sampleDims: [2, 2] }, { metadata });
    expect(oracle).toMatchObject({ output: 'y', classes: 3 });
    expect(await oracle.ask(linearSamples(2), 2)).toEqual(linearScores(linearSamples(2), 2));
    await expect(openRemote(server.url)).rejects.toThrow(error('option/invalid', /does not describe/));
  });

  it('is asked with an example where zeros will not do', async () => {
    const seen: number[][] = [];
    const answer = (x: Float32Array, n: number) => {
      seen.push([...x]);
      return linearScores(x, n);
    };
    const { server } = await opened({ example: Float32Array.of(1, 2, 3, 4) }, { answer });
    expect(seen).toEqual([[1, 2, 3, 4]]);
    await expect(openRemote(server.url, { example: new Float32Array(3) })).rejects.toThrow(
      error('data/mismatch', /an example of \[2, 2\], got 3/),
    );
  });

  it('that only names the class is scored with a one', async () => {
    const { oracle, server } = await opened({ labels: 3 }, { answers: 'labels' });
    expect(oracle.classes).toBe(3);
    // Scores 0, 0.5, -1 and 1, -0.5, -0.875.
    expect(await oracle.ask(Float32Array.of(0, 0, 0, 0, 1, 0, 0, 0), 2)).toEqual(
      Float32Array.of(0, 1, 0, 1, 0, 0),
    );
    await expect(openRemote(server.url)).rejects.toThrow(error('option/invalid', /INT64.*labels/));
    await expect(openRemote(server.url, { labels: 2 })).resolves.toBeDefined();
    const two = await openRemote(server.url, { labels: 2 });
    await expect(two.ask(Float32Array.of(-1, -1, 1, -1), 1)).rejects.toThrow(
      error('endpoint/bad-answer', /class numbers from 0 to 1/),
    );
  });

  it('gives its answers as they are, rounded ones and noisy ones', async () => {
    const samples = linearSamples(3);
    const { oracle } = await opened({}, { answers: { digits: 1 } });
    expect(await oracle.ask(samples, 3)).toEqual(
      linearScores(samples, 3).map((score) => Number(score.toFixed(1))),
    );
    const { oracle: noisy } = await opened({}, { answers: { noise: 0.1, seed: 1 } });
    expect(await noisy.ask(samples, 3)).not.toEqual(await noisy.ask(samples, 3));
  });
});

describe('the format', () => {
  it.each([400, 415, 422, 500] as const)('is JSON where binary is refused with %i', async (format) => {
    const waits: number[] = [];
    const { server, oracle } = await opened({ sleep: async (ms) => waits.push(ms) }, {}, { format });
    expect(oracle.format).toBe('json');
    const samples = linearSamples(3);
    expect(await oracle.ask(samples, 3)).toEqual(linearScores(samples, 3));
    expect(server.received.requests).toBe(4);
    expect(waits).toEqual([]);
  });

  it('is JSON where binary questions are answered in JSON', async () => {
    const { server, oracle } = await opened({}, {}, { format: 'json answers' });
    expect(oracle.format).toBe('json');
    expect(server.received.requests).toBe(3);
  });

  it('is what the user says', async () => {
    const server = await serve({}, { format: 415 });
    await expect(openRemote(server.url, { format: 'binary' })).rejects.toThrow(
      error('endpoint/unavailable', /status 415 \(cannot read that\)/),
    );
    const both = await serve();
    expect(await openRemote(both.url, { format: 'json' })).toMatchObject({ format: 'json' });
    expect(both.received.headers.at(-1)).toMatchObject({ 'content-type': 'application/json' });
  });

  it('cannot be JSON for 16-bit floats', async () => {
    const server = await serve({ datatype: 'FP16' });
    await expect(openRemote(server.url, { format: 'json' })).rejects.toThrow(
      error('option/invalid', /binary format for FP16/),
    );
  });
});

describe('a batch that is too large', () => {
  it.each([400, 413] as const)('is halved, and stays small (%i)', async (status) => {
    const said: string[] = [];
    const { server, oracle } = await opened(
      { batch: 20, parallel: 1, say: (text) => said.push(text) },
      { most: { samples: 6, status } },
    );
    const samples = linearSamples(40);
    expect(await oracle.ask(samples, 40)).toEqual(linearScores(samples, 40));
    const refused = oracle.traffic.requests - 1 - server.received.batches.length;
    expect(refused).toBe(2);
    expect(Math.max(...server.received.batches)).toBe(5);
    expect(said).toEqual([
      `${server.url}: 20 samples are too many for one request; goes on with 10`,
      `${server.url}: 10 samples are too many for one request; goes on with 5`,
    ]);
    await oracle.ask(samples, 40);
    expect(oracle.traffic.requests - 1 - server.received.batches.length).toBe(refused);
  });

  it('of many at once is halved once', async () => {
    const { oracle, server } = await opened({ batch: 8, parallel: 4 }, { most: { samples: 4 } });
    const samples = linearSamples(32);
    const quarters = [0, 1, 2, 3].map((i) => samples.subarray(i * 32, (i + 1) * 32));
    const answers = await Promise.all(quarters.map((part) => oracle.ask(part, 8)));
    expect(answers.flatMap((a) => [...a])).toEqual([...linearScores(samples, 32)]);
    expect(server.received.batches).toEqual([1, ...Array(8).fill(4)]);
  });

  it('of one sample is the end', async () => {
    const { server, oracle } = await opened();
    server.faults.refuse = { status: 413, text: 'too large' };
    await expect(oracle.ask(linearSamples(4), 4)).rejects.toThrow(
      error('endpoint/unavailable', /status 413 \(too large\); 0 samples had been answered/),
    );
  });
});

describe('options', () => {
  it.each<[object, string, RegExp]>([
    [{ formt: 'json' }, 'option/unknown', /'formt' \(did you mean 'format'\?\)/],
    [{ format: 'xml' }, 'option/invalid', /auto, binary or json, got 'xml'/],
    [{ parallel: 0 }, 'option/invalid', /parallel to be a whole number from 1/],
    [{ batch: 1.5 }, 'option/invalid', /batch to be a whole number from 1/],
    [{ timeoutMs: 1e9 }, 'option/invalid', /timeoutMs to be a whole number from 1 to 300000/],
    [{ labels: 1 }, 'option/invalid', /labels to be a whole number from 2/],
    [{ sampleDims: [0] }, 'option/invalid', /sizes of at least 1/],
    [{ input: 'z' }, 'option/invalid', /one of the inputs "x", got 'z'/],
    [{ output: 'z' }, 'option/invalid', /one of the outputs "y", got 'z'/],
    [{ sampleDims: [4] }, 'option/invalid', /to fit \[-1, 2, 2\].*got \[4\]/],
  ])('%j are refused', async (options, code, message) => {
    const server = await serve();
    await expect(openRemote(server.url, options)).rejects.toThrow(error(code, message));
  });

  it('that are undefined are as good as absent', async () => {
    const server = await serve();
    const oracle = await openRemote(server.url, {
      batch: undefined,
      timeoutMs: undefined,
      format: undefined,
    });
    expect(oracle.batch).toBe(64);
  });

  it('keep requests of large samples small', async () => {
    const size = 2 ** 21;
    const { oracle } = await opened(
      {},
      { sampleShape: [size], outputs: 2, answer: (_, n) => new Float32Array(2 * n) },
    );
    expect(oracle.batch).toBe(2);
  });
});

describe('asking', () => {
  it('needs as many samples as it says', async () => {
    const { oracle } = await opened();
    await expect(oracle.ask(new Float32Array(4), 2)).rejects.toThrow(
      error('data/mismatch', /2 samples of \[2, 2\], got 4 numbers/),
    );
  });

  it('in JSON needs finite numbers', async () => {
    const { oracle } = await opened({ format: 'json' });
    await expect(oracle.ask(Float32Array.of(0, Number.NaN, 0, 0), 1)).rejects.toThrow(
      error('data/not-finite', /element 1/),
    );
  });
});

describe('what the model must look like', () => {
  const input = { name: 'x', datatype: 'FP32', shape: [-1, 2, 2] };
  it.each<[string, Partial<ServedModel>, string, RegExp]>([
    [
      'floats go in',
      { metadata: { inputs: [{ ...input, datatype: 'UINT8' }] } },
      'model/unsupported-task',
      /a float type, got "UINT8"; an adapter/,
    ],
    [
      'types are known',
      { metadata: { inputs: [{ ...input, datatype: 'FP8' }] } },
      'model/unsupported-task',
      /got "FP8"/,
    ],
    [
      'there is a batch',
      { metadata: { inputs: [{ ...input, shape: [] }] } },
      'model/unsupported-task',
      /\[batch, …\], got \[\]/,
    ],
    [
      'one float input',
      { metadata: { inputs: [input, { ...input, name: 'z' }] } },
      'option/invalid',
      /several inputs \("x", "z"\)/,
    ],
    [
      'one output',
      { metadata: { outputs: [input, { ...input, name: 'z' }] } },
      'option/invalid',
      /several outputs \("x", "z"\)/,
    ],
  ])('%s', async (_, model, code, message) => {
    const server = await serve(model);
    await expect(openRemote(server.url)).rejects.toThrow(error(code, message));
  });

  it('of several inputs the only float one is sent', async () => {
    const metadata = { inputs: [{ name: 'flag', datatype: 'BOOL', shape: [1] }, input] };
    expect((await opened({}, { metadata })).oracle.input).toBe('x');
  });

  it('a row of scores comes out', async () => {
    const server = await serve({}, { faults: { garbage: 'three axes' } });
    await expect(openRemote(server.url)).rejects.toThrow(
      error('model/unsupported-task', /\[batch, classes\], got \[1, 1, 3\]/),
    );
  });
});
