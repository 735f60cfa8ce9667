import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../../test/until.ts';
import { JSON_LENGTH_HEADER } from '../../../oip/message.ts';
import { encodeInferResponse, type InferResponse } from '../../../oip/response.ts';
import type { Tensor } from '../../../oip/tensor.ts';
import type { Refused } from '../../refusal.ts';
import type { RunOptions } from '../../served-model.ts';
import type { BackendModel } from '../backend-model.ts';
import { backendSchema, type UpstreamConfig } from '../config-schema.ts';
import { testGrpcUpstream } from './grpc-upstream.fixture.ts';
import { httpClient } from './http-once.ts';
import { networks } from './networks.ts';
import { openUpstream } from './open-upstream.ts';
import { DOUBLING, sendAnswer, type TestUpstream, testProxy, testUpstream } from './upstream.fixture.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
let server: TestUpstream;
const opened: BackendModel[] = [];
beforeEach(async () => {
  server = await testUpstream();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((model) => model.close()));
  await server.close();
});

function configOf(url: string, rest: object = {}): UpstreamConfig {
  const { models } = backendSchema.parse({ models: { m: { upstream: { url, digest: DIGEST, ...rest } } } });
  return models.m!.upstream!;
}
/** Milliseconds that a model waits where nothing is expected to be late, however slow the machine is; and where it is. */
const PATIENT = 60_000;
const HASTY = 800;
async function open(url = server.url, rest: object = {}, clock?: () => number): Promise<BackendModel> {
  const model = await openUpstream({
    name: 'served',
    version: '7',
    config: configOf(url, { timeoutMilliseconds: PATIENT, ...rest }),
    clock,
    classifier: {},
    folder: tmpdir(),
  });
  opened.push(model);
  return model;
}
const how = (n = 1, rest: Partial<RunOptions> = {}): RunOptions => ({
  n,
  signal: new AbortController().signal,
  features: false,
  ...rest,
});
const x = (values: readonly number[] = [1, 2, 3]): Tensor => ({
  name: 'x',
  datatype: 'FP32',
  shape: [values.length / 3, 3],
  data: Float32Array.from(values),
});
const ask = (model: BackendModel) => model.run([x()], how());
/** Asks until there is an answer again. */
const recovered = (model: BackendModel) => until(async () => (await refusal(ask(model))) === 'answered');
const refusal = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'answered',
    (thrown: Refused) => thrown.refusal ?? String(thrown),
  );

describe('a model on another server', () => {
  it.each([['binary'], ['json'], ['auto']])('is asked over REST in form %s', async (format) => {
    const model = await open(server.url, { format });
    expect(model).toMatchObject({
      name: 'served',
      version: '7',
      digest: DIGEST,
      classifier: { input: 'x', classes: 3, gives: 'logits' },
    });
    expect(model.metadata).toMatchObject({
      name: 'served',
      inputs: DOUBLING.inputs,
      outputs: DOUBLING.outputs,
    });
    const { outputs } = await model.run([x([1, 2, 3, 4, 5, 6])], how(2));
    expect(outputs).toEqual([
      { name: 'y', datatype: 'FP32', shape: [2, 3], data: Float32Array.of(2, 4, 6, 8, 10, 12) },
    ]);
  });

  it('gets numbers alone: no parameters, no id and no header of a caller, and is asked nothing but questions', async () => {
    const model = await open();
    const input = { ...x(), parameters: { sequence_id: 5, triton_x: 'y' } } as Tensor;
    await model.run([input], how());
    const last = server.requests.at(-1)!;
    expect(last.parameters).toEqual({});
    expect(last.inputs[0]!.parameters).toEqual({});
    expect(new Set(server.asked)).toEqual(
      new Set(['GET /v2/models/double', 'GET /v2', 'POST /v2/models/double/infer']),
    );
    expect(server.headers.authorization).toBeUndefined();
  });

  it('is shown the token of a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'glacis-upstream-'));
    await writeFile(join(folder, 'token'), 'geheim\n');
    const model = await open(server.url, { tokenFile: join(folder, 'token') });
    await ask(model);
    expect(server.headers.authorization).toBe('Bearer geheim');
    // Its owner rotates it.
    await writeFile(join(folder, 'token'), 'neu');
    expect(await model.recheck!()).toEqual({});
    await ask(model);
    expect(server.headers.authorization).toBe('Bearer neu');
  });

  it('stops when it describes another model, and not because it cannot be reached', async () => {
    const model = await open();
    expect(await model.recheck!()).toEqual({});
    server.metadata = { ...DOUBLING, outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 5] }] };
    expect((await model.recheck!()).stop).toMatch(/another model/);
    server.metadata = DOUBLING;
    expect(await model.recheck!()).toEqual({});
    await server.close();
    expect(await model.recheck!()).toEqual({});
  });

  it('answers many callers over few connections, each with their own', async () => {
    const model = await open(server.url, { parallel: 3 });
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => model.run([x([i, 0, 0])], how())));
    expect(answers.map(({ outputs }) => (outputs[0]!.data as Float32Array)[0])).toEqual(
      Array.from({ length: 40 }, (_, i) => 2 * i),
    );
  });

  it('is asked nothing once it is closed, and aside only while nobody else asks', async () => {
    const model = await open();
    let release = () => {};
    server.misbehave = (_, response, good) => {
      release = () => sendAnswer(response, good, true);
    };
    const before = server.requests.length;
    const asked = ask(model);
    await until(() => server.requests.length > before);
    await expect(model.runAside([x()], how())).rejects.toMatchObject({
      refusal: 'unavailable',
      because: 'others are asking',
    });
    release();
    await asked;
    server.misbehave = undefined;
    expect(await refusal(model.runAside([x()], how()))).toBe('answered');
    await model.close();
    const sent = server.requests.length;
    await expect(ask(model)).rejects.toMatchObject({
      refusal: 'unavailable',
      because: 'the model is no longer served',
    });
    expect(await refusal(model.runAside([x()], how()))).toBe('unavailable');
    expect(server.requests).toHaveLength(sent);
  });

  it.each<[string, string | undefined]>([
    ['there is no such', undefined],
    ['one token of printable characters', ''],
    ['one token of printable characters', 'two words'],
    ['one token of printable characters', 'line\nanother'],
  ])('is not opened with a token of which is said: %s (%j)', async (words, text) => {
    const folder = await mkdtemp(join(tmpdir(), 'glacis-upstream-'));
    const tokenFile = join(folder, 'token');
    if (text !== undefined) await writeFile(tokenFile, text);
    await expect(open(server.url, { tokenFile })).rejects.toMatchObject({
      code: 'key/unusable',
      message: expect.stringContaining(words),
    });
    await rm(folder, { recursive: true });
  });

  it('is not opened with an authority that is not there', async () => {
    await expect(open(server.url, { ca: '/nowhere/ca.pem' })).rejects.toMatchObject({
      code: 'key/unusable',
      message: expect.stringContaining('/nowhere/ca.pem: there is no such'),
    });
  });

  it('turns away what waits too long, who has gone, and more than may wait', async () => {
    server.misbehave = (_, response, good) => void setTimeout(() => sendAnswer(response, good, true), 100);
    const model = await open(server.url, { parallel: 1, queue: 2 });
    const gone = new AbortController();
    const asked = [
      model.run([x()], how()),
      model.run([x()], how(1, { deadline: performance.now() + 10 })),
      model.run([x()], how(1, { signal: gone.signal })),
      model.run([x()], how()),
    ];
    gone.abort();
    expect(await Promise.all(asked.map(refusal))).toEqual(['answered', 'late', 'late', 'unavailable']);
    expect(await refusal(ask(model))).toBe('answered');
  });
});

describe('abuse group 28: an upstream that misbehaves', () => {
  const change = (edit: (good: InferResponse) => InferResponse) => {
    server.misbehave = (_, response, good) => sendAnswer(response, edit(good), true);
  };
  const y = (good: InferResponse) => good.outputs[0]!;

  it.each<[string, (good: InferResponse) => InferResponse]>([
    ['a wrong shape', (good) => ({ ...good, outputs: [{ ...y(good), shape: [3, 1] }] })],
    [
      'rows for another number of samples',
      (good) => ({ ...good, outputs: [{ ...y(good), shape: [2, 3], data: new Float32Array(6) } as Tensor] }),
    ],
    [
      'another type',
      (good) => ({
        ...good,
        outputs: [{ ...y(good), datatype: 'INT32', data: new Int32Array(3) } as Tensor],
      }),
    ],
    ['another name', (good) => ({ ...good, outputs: [{ ...y(good), name: 'z' }] })],
    ['no output', (good) => ({ ...good, outputs: [] })],
    ['one output too many', (good) => ({ ...good, outputs: [y(good), { ...y(good), name: 'z' }] })],
    ["another request's id", (good) => ({ ...good, id: '999999' })],
    ['the name of another model', (good) => ({ ...good, modelName: 'other' })],
    [
      'NaN',
      (good) => ({ ...good, outputs: [{ ...y(good), data: Float32Array.of(1, Number.NaN, 3) } as Tensor] }),
    ],
    [
      'an infinity',
      (good) => ({
        ...good,
        outputs: [{ ...y(good), data: Float32Array.of(1, Number.POSITIVE_INFINITY, 3) } as Tensor],
      }),
    ],
  ])('answers with %s', async (_, edit) => {
    const model = await open();
    change(edit);
    expect(await refusal(ask(model))).toBe('failed');
    server.misbehave = undefined;
    expect(await refusal(ask(model))).toBe('answered');
  });

  it('answers as another version than the one that is asked', async () => {
    const model = await open(`${server.url}/versions/1`);
    expect(await refusal(ask(model))).toBe('answered');
    change((good) => ({ ...good, modelVersion: '2' }));
    await expect(ask(model)).rejects.toMatchObject({
      refusal: 'failed',
      because: expect.stringContaining('another version of the model'),
    });
    // Who asks for none takes any.
    expect(await refusal(ask(await open()))).toBe('answered');
  });

  it('answers with NaN, which the configuration lets be', async () => {
    const model = await open(server.url, { finite: false });
    change((good) => ({
      ...good,
      outputs: [{ ...y(good), data: Float32Array.of(Number.NaN, 0, 0) } as Tensor],
    }));
    expect((await ask(model)).outputs[0]!.data).toEqual(Float32Array.of(Number.NaN, 0, 0));
  });

  const sendLengths = (
    response: ServerResponse,
    good: InferResponse,
    lengths: (right: string) => readonly string[],
  ) => {
    const { body, headers } = encodeInferResponse(good, () => true);
    response.setHeader('content-type', headers['content-type']!);
    response.setHeader(JSON_LENGTH_HEADER, lengths(headers[JSON_LENGTH_HEADER]!)).end(body);
  };
  it('sends an answer with its length', async () => {
    const model = await open(server.url);
    server.misbehave = (_, response, good) => sendLengths(response, good, (length) => [length]);
    expect(await refusal(ask(model))).toBe('answered');
  });
  it('sends an answer without a type, as KServe does in binary form', async () => {
    const model = await open(server.url);
    server.misbehave = (_, response, good) => {
      const { body, headers } = encodeInferResponse(good, () => true);
      response.setHeader(JSON_LENGTH_HEADER, headers[JSON_LENGTH_HEADER]!).end(body);
    };
    expect(await refusal(ask(model))).toBe('answered');
  });
  it.each<[string, NonNullable<TestUpstream['misbehave']>, string]>([
    [
      'JSON without a type',
      (_, response, good) => void response.end(encodeInferResponse(good, () => false).body),
      'failed',
    ],
    [
      '200 with HTML',
      (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>hello</h1>'),
      'failed',
    ],
    [
      'HTML that is called JSON',
      (_, response) =>
        void response.writeHead(200, { 'content-type': 'application/json' }).end('<h1>hello</h1>'),
      'failed',
    ],
    ['nothing at all', () => {}, 'late'],
    [
      'a head and no body',
      (_, response) =>
        void response
          .writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
          .flushHeaders(),
      'late',
    ],
    [
      'half an answer',
      (_, response) =>
        void response
          .writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
          .write('{"outp', () => response.destroy()),
      'unavailable',
    ],
    [
      'a body without end',
      (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const more = () =>
          response.destroyed || response.write(Buffer.alloc(65_536, 0x20), () => setImmediate(more));
        more();
      },
      'failed',
    ],
    [
      'a length that is too large',
      (_, response) =>
        void response
          .writeHead(200, { 'content-type': 'application/json', 'content-length': '99999999999' })
          .flushHeaders(),
      'failed',
    ],
    [
      'a packed bomb',
      (_, response) =>
        void response
          .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
          .end(Buffer.alloc(100)),
      'failed',
    ],
    [
      'a redirect to the metadata service',
      (_, response) =>
        void response.writeHead(307, { location: 'http://169.254.169.254/latest/meta-data/' }).end(),
      'failed',
    ],
    [
      '400',
      (_, response) =>
        void response
          .writeHead(400, { 'content-type': 'application/json' })
          .end('{"error":"secret path /opt/x"}'),
      'failed',
    ],
    [
      'the length of its JSON twice',
      (_, response, good) => sendLengths(response, good, (length) => [length, length]),
      'failed',
    ],
    [
      'two lengths of its JSON',
      (_, response, good) => sendLengths(response, good, (length) => [length, '2']),
      'failed',
    ],
    ['500', (_, response) => void response.writeHead(500).end('stack'), 'failed'],
    ['503', (_, response) => void response.writeHead(503).end(), 'unavailable'],
    ['a reset', (request) => void request.socket.resetAndDestroy(), 'unavailable'],
    [
      'endless headers',
      (request) => {
        request.socket.write('HTTP/1.1 200 OK\r\n');
        const more = () =>
          request.socket.destroyed ||
          request.socket.write(`x-${Math.random()}: ${'a'.repeat(1000)}\r\n`, () => setImmediate(more));
        more();
      },
      'unavailable',
    ],
  ])('sends %s', async (_, misbehave, expected) => {
    const model = await open(server.url, { timeoutMilliseconds: expected === 'late' ? HASTY : PATIENT });
    server.misbehave = misbehave;
    const end = await ask(model).then(
      () => undefined,
      (thrown: Refused) => thrown,
    );
    expect(end?.refusal).toBe(expected);
    // What it said is in neither message.
    expect(`${end?.message} ${end?.because}`).not.toMatch(/secret|hello|stack|opt/);
    server.misbehave = undefined;
    await recovered(model);
  });

  it('is left alone after failures in a row, tried with one request, and taken back', async () => {
    let time = 0;
    const circuit = { failures: 3, pauseMilliseconds: 60, longestMilliseconds: 100 };
    const model = await open(server.url, { circuit }, () => time);
    server.misbehave = (_, response) => void response.writeHead(503).end();
    for (let i = 0; i < 3; i++) expect(await refusal(ask(model))).toBe('unavailable');
    const before = server.requests.length;
    expect(model.load().circuit).toBe('open');
    for (let i = 0; i < 20; i++) expect(await refusal(ask(model))).toBe('unavailable');
    expect(server.requests).toHaveLength(before);
    time += 60;
    expect(model.load().circuit).toBe('half-open');
    // Of ten at once, one is the trial.
    await Promise.all(Array.from({ length: 10 }, () => refusal(ask(model))));
    expect(server.requests).toHaveLength(before + 1);
    server.misbehave = undefined;
    time += 100;
    expect(await refusal(ask(model))).toBe('answered');
    expect(model.load().circuit).toBe('closed');
  });

  it('is asked nothing that JSON cannot say, and is no worse for that', async () => {
    const model = await open(server.url, { format: 'json', circuit: { failures: 1 } });
    const before = server.requests.length;
    await expect(model.run([x([1, Number.NaN, 3])], how())).rejects.toMatchObject({
      refusal: 'failed',
      because: expect.stringMatching(/finite|NaN/),
    });
    expect(server.requests).toHaveLength(before);
    expect(model.load().circuit).toBe('closed');
  });

  it("is not given up because of one caller's bad inputs", async () => {
    const model = await open(server.url, { circuit: { failures: 2 } });
    server.misbehave = (_, response) => void response.writeHead(400).end();
    for (let i = 0; i < 10; i++) expect(await refusal(ask(model))).toBe('failed');
    expect(model.load().circuit).toBe('closed');
  });

  it('that swallows everything is left alone, although every caller leaves before it is late', async () => {
    let time = 0;
    const model = await open(server.url, { circuit: { failures: 3 } }, () => time);
    server.misbehave = () => {};
    /** Callers who leave after a while, when their questions have arrived. */
    const leave = async (count: number, after: number) => {
      const arrived = server.requests.length + count;
      const gone = new AbortController();
      const asked = Array.from({ length: count }, () =>
        refusal(model.run([x()], how(1, { signal: gone.signal }))),
      );
      await until(() => server.requests.length === arrived);
      time += after;
      gone.abort();
      return Promise.all(asked);
    };
    for (let i = 0; i < 5; i++) expect(await leave(1, PATIENT / 2)).toEqual(['late']);
    expect(model.load().circuit).toBe('closed');
    expect(await leave(3, PATIENT / 2 + 1)).toEqual(['late', 'late', 'late']);
    expect(model.load().circuit).toBe('open');
  });

  it('is cut off, slowed down, swallowed and gone, and found again each time', async () => {
    const proxy = await testProxy(server.port);
    const proxied = (timeoutMilliseconds: number) =>
      open(`http://127.0.0.1:${proxy.port}/v2/models/double`, {
        timeoutMilliseconds,
        circuit: { failures: 100 },
      });
    const [model, hasty] = [await proxied(PATIENT), await proxied(HASTY)];
    for (const mode of ['cut', 'slow', 'hole'] as const) {
      const asked = mode === 'cut' ? model : hasty;
      proxy.mode = mode;
      expect(await refusal(ask(asked))).toBe(mode === 'cut' ? 'unavailable' : 'late');
      proxy.mode = 'pass';
      await recovered(asked);
    }
    await proxy.stop();
    const before = server.requests.length;
    expect(await refusal(ask(model))).toBe('unavailable');
    expect(server.requests).toHaveLength(before);
    await proxy.start();
    await recovered(model);
    await proxy.stop();
  });

  it('that refuses the connection is asked again, because nothing was sent', async () => {
    const proxy = await testProxy(server.port);
    const model = await open(`http://127.0.0.1:${proxy.port}/v2/models/double`, { retries: 5 });
    await proxy.stop();
    // Until it is noticed that the kept connection has ended.
    await new Promise((later) => setTimeout(later, 50));
    const asked = refusal(ask(model));
    await new Promise((later) => setTimeout(later, 100));
    await proxy.start();
    expect(await asked).toBe('answered');
    await proxy.stop();
  });

  it('that broke off is not asked again: it may have counted', async () => {
    const model = await open(server.url, { retries: 5 });
    const before = server.requests.length;
    server.misbehave = (request) => void request.socket.destroy();
    expect(await refusal(ask(model))).toBe('unavailable');
    expect(server.requests).toHaveLength(before + 1);
  });

  it.each([
    ['no inputs', { ...DOUBLING, inputs: [] }],
    ['a type that nobody knows', { ...DOUBLING, outputs: [{ name: 'y', datatype: 'FP7', shape: [-1] }] }],
  ])('that describes a model with %s is not opened', async (_, metadata) => {
    const other = await testUpstream({ metadata });
    await expect(open(other.url)).rejects.toMatchObject({ code: 'endpoint/bad-answer' });
    await other.close();
  });

  it('that is no server of the protocol, or not there, is not opened', async () => {
    const page = createServer((_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    );
    page.listen(0, '127.0.0.1');
    await once(page, 'listening');
    const { port } = page.address() as AddressInfo;
    await expect(open(`http://127.0.0.1:${port}/v2/models/m`)).rejects.toMatchObject({
      code: 'endpoint/bad-answer',
    });
    page.close();
    await once(page, 'close');
    await expect(open(`http://127.0.0.1:${port}/v2/models/m`)).rejects.toMatchObject({
      code: 'endpoint/unavailable',
    });
  });
});

describe('addresses', () => {
  it('are in the configuration, without a password, a query or another path', () => {
    for (const url of [
      'http://user:pw@host/v2/models/m',
      'http://host/v2/models/m?x=1',
      'http://host/v2/models/m/infer',
      'http://host/v2/repository/index',
      'ftp://host/v2/models/m',
      'file:///v2/models/m',
      'http:///v2/models/m',
    ])
      expect(() => configOf(url)).toThrow();
  });

  it.each([
    ['of the form http://HOST', 'http://127.0.0.1:99999/v2/models/m'],
    ['without broken % sequences', 'http://127.0.0.1:9/v2/models/%zz'],
  ])('are %s, or refused: %s', async (words, url) => {
    await expect(open(url)).rejects.toMatchObject({
      code: 'option/invalid',
      message: expect.stringContaining(words),
    });
  });

  it('in networks that are not allowed are not connected to, whatever a name leads to', async () => {
    await expect(open('http://169.254.169.254/v2/models/m')).rejects.toMatchObject({
      code: 'endpoint/unavailable',
    });
    for (const url of [
      'http://[::ffff:169.254.169.254]',
      'http://0xA9FEA9FE',
      'http://2852039166',
      'grpc://0xA9FEA9FE:80',
    ])
      await expect(open(`${url}/v2/models/m`), url).rejects.toMatchObject({ code: 'endpoint/unavailable' });
    await expect(open('grpc://169.254.169.254:80/v2/models/m')).rejects.toMatchObject({
      code: 'endpoint/unavailable',
    });
    const named = server.url.replace('127.0.0.1', 'localhost');
    await expect(open(named, { networks: ['10.0.0.0/8'] })).rejects.toMatchObject({
      code: 'endpoint/unavailable',
    });
    await expect(open(server.url, { networks: ['10.0.0.0/8'] })).rejects.toMatchObject({
      code: 'endpoint/unavailable',
    });
    expect(await refusal(ask(await open(named, { networks: ['127.0.0.0/8'] })))).toBe('answered');
  });

  it('are looked up for each connection: a name that begins to lead elsewhere is not followed', async () => {
    let leads = '127.0.0.1';
    const lookup = ((_: string, __: object, done: (error: null, found: object[]) => void) =>
      done(null, [{ address: leads, family: 4 }])) as never;
    const client = httpClient(
      new URL(`http://models.test:${server.port}`),
      1,
      networks(undefined, lookup),
      {},
    );
    const sending = { signal: new AbortController().signal, timeout: PATIENT, most: 10_000 };
    const get = () => client.send({ method: 'GET', path: '/v2/models/double', headers: {} }, sending);
    expect((await get()).body.length).toBeGreaterThan(10);
    leads = '169.254.169.254';
    // The kept connection still goes to the address that was allowed.
    expect((await get()).body.length).toBeGreaterThan(10);
    client.close();
    const again = httpClient(
      new URL(`http://models.test:${server.port}`),
      1,
      networks(undefined, lookup),
      {},
    );
    const refused = again.send({ method: 'GET', path: '/v2/models/double', headers: {} }, sending);
    await expect(refused).rejects.toMatchObject({ kind: 'unsent' });
    again.close();
  });

  it('are looked at in every form', () => {
    const any = networks(undefined);
    for (const address of [
      '169.254.169.254',
      '::ffff:169.254.169.254',
      'fe80::1',
      'fd00:ec2::254',
      'localhost',
      '',
    ])
      expect(any.allows(address), address).toBe(false);
    for (const address of ['10.1.2.3', '127.0.0.1', '::1', '8.8.8.8', 'fd00::1'])
      expect(any.allows(address), address).toBe(true);
    const some = networks(['10.0.0.0/8', 'fd12::/16']);
    expect(['10.1.2.3', '::ffff:10.1.2.3', 'fd12::1', '11.1.2.3', '::1'].map(some.allows)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('a model behind gRPC', () => {
  it('is asked, and its answers are held against its metadata', async () => {
    let edit = (good: InferResponse): InferResponse | undefined => good;
    const grpc = await testGrpcUpstream((good) => edit(good));
    const model = await open(grpc.url);
    const { outputs } = await model.run([x([1, 2, 3, 4, 5, 6])], how(2));
    expect(outputs).toEqual([
      { name: 'y', datatype: 'FP32', shape: [2, 3], data: Float32Array.of(2, 4, 6, 8, 10, 12) },
    ]);
    const bad: ((good: InferResponse) => InferResponse)[] = [
      (good) => ({ ...good, id: 'x' }),
      (good) => ({ ...good, outputs: [] }),
      (good) => ({
        ...good,
        outputs: [{ ...good.outputs[0]!, data: Float32Array.of(Number.NaN, 0, 0) } as Tensor],
      }),
    ];
    for (edit of bad) expect(await refusal(ask(model))).toBe('failed');
    edit = (good) => good;
    expect(await refusal(ask(model))).toBe('answered');
    const hasty = await open(grpc.url, { timeoutMilliseconds: HASTY });
    edit = () => undefined;
    expect(await refusal(ask(hasty))).toBe('late');
    edit = (good) => good;
    await recovered(hasty);
    expect(new Set(grpc.methods)).toEqual(new Set(['metadata', 'infer']));
    grpc.stop();
  });

  it('may go and come back', async () => {
    const grpc = await testGrpcUpstream((good) => good);
    const model = await open(grpc.url, { circuit: { failures: 100 } });
    grpc.stop();
    expect(await refusal(ask(model))).toBe('unavailable');
    const again = await testGrpcUpstream((good) => good, { port: grpc.port });
    await recovered(model);
    again.stop();
  });
});
