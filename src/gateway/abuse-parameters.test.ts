import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  decodeGrpcInferResponse,
  encodeGrpcInferRequest,
  GRPC_METHODS,
  type Parameters,
} from '../oip/index.ts';
import { type TestUpstream, testUpstream } from './backend/upstream/upstream.fixture.ts';
import { readServe } from './config/read-serve.ts';
import { openProcessLog } from './observe/process-log.ts';
import { openGateway, type RunningGateway } from './open-gateway.ts';
import { framed } from './protocol/grpc/message-reader.ts';
import { REFUSALS } from './refusal.ts';

/** Abuse case 18 of the list that the gateway is held to: parameters that mean something to a server behind it, and texts that would be headers. */
const CANARY = 'c4n4ry';
/** A text that is two more headers and a body where it gets into one. */
const SPLIT = `${CANARY}\r\nx-${CANARY}: 1\r\nset-cookie: ${CANARY}=1\r\n\r\n${CANARY}`;
const RESERVED: Parameters = {
  triton_enable_empty_final_response: true,
  triton_final_response: true,
  [`triton_${CANARY}`]: CANARY,
  sequence_id: 987654,
  sequence_start: true,
  sequence_end: true,
  priority: 987654,
  timeout: 987654,
  headers: CANARY,
  authorization: `Bearer ${CANARY}`,
  [`x-${CANARY}`]: SPLIT,
};

const folder = mkdtempSync(join(tmpdir(), 'glacis-parameters-'));
let upstream: TestUpstream;
let gateway: RunningGateway;
let key: string;

beforeAll(async () => {
  upstream = await testUpstream();
  const serve = {
    listen: { port: 0, grpcPort: 0 },
    management: { port: 0 },
    // JSON, so that everything that reaches it can be read.
    models: { m: { upstream: { url: upstream.url, digest: `sha256:${'1'.repeat(64)}`, format: 'json' } } },
    answers: { detail: 'logits' },
  };
  const { config } = readServe(JSON.stringify({ serve }), 'test');
  gateway = await openGateway({
    ...{ config, folder, dataFolder: join(folder, 'data'), env: {}, home: folder },
    log: openProcessLog({ write: () => {} }),
  });
  const scope = { models: ['*'], operations: ['infer'], detail: 'label' } as const;
  const wish = { principal: 'ann', tenant: 'acme', roles: [], scope };
  key = (await gateway.keys.create(wish, { id: 'test', mayGrant: false })).text;
}, 180_000);
afterAll(async () => {
  await gateway.drain();
  await upstream.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  upstream.asked.length = 0;
  upstream.requests.length = 0;
});

/** One sample; each part with these parameters. */
const body = (parameters: object, more: object = {}) => ({
  id: 'q',
  parameters,
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 3, 2], parameters }],
  outputs: [{ name: 'y', parameters }],
  ...more,
});

async function ask(sent: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${gateway.addresses.rest}/v2/models/m/infer`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(sent),
  });
}

/** The same question over gRPC: all headers and trailers, and the outputs. */
async function call(parameters: Parameters, id: string) {
  const message = encodeGrpcInferRequest({
    model: 'm',
    version: undefined,
    request: {
      ...{ id, parameters, binaryOutput: true },
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: Float32Array.of(1, 3, 2), parameters }],
      outputs: [{ name: 'y', binary: true, parameters }],
    },
  });
  const session = connectHttp2(gateway.addresses.grpc!.replace('grpc', 'http'));
  try {
    const stream = session.request({
      ...{ ':method': 'POST', ':path': GRPC_METHODS.ModelInfer, te: 'trailers' },
      ...{ 'content-type': 'application/grpc', authorization: `Bearer ${key}` },
    });
    let headers: IncomingHttpHeaders = {};
    stream.on('response', (given) => {
      headers = { ...headers, ...given };
    });
    stream.on('trailers', (given) => {
      headers = { ...headers, ...given };
    });
    stream.end(Buffer.concat(framed([Buffer.concat(message)], false)));
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part as Buffer);
    const came = Buffer.concat(parts);
    return {
      headers,
      response: came.length > 0 ? decodeGrpcInferResponse(came.subarray(5), 'test') : undefined,
    };
  } finally {
    session.destroy();
  }
}

/** The upstream was asked the one question, numbers alone, under an id of the gateway's own. */
function expectNumbersAlone(): void {
  expect(upstream.asked.filter((each) => each.startsWith('POST'))).toEqual(['POST /v2/models/double/infer']);
  const { requests, headers } = upstream;
  expect(requests).toEqual([
    {
      id: expect.stringMatching(/^\d+$/),
      parameters: {},
      inputs: [
        { name: 'x', datatype: 'FP32', shape: [1, 3], data: Float32Array.of(1, 3, 2), parameters: {} },
      ],
      outputs: [{ name: 'y', binary: true, parameters: {} }],
      binaryOutput: false,
    },
  ]);
  const usual = ['accept', 'accept-encoding', 'connection', 'content-length', 'content-type', 'host'];
  expect(Object.keys(headers).filter((name) => !usual.includes(name))).toEqual([]);
  expect(JSON.stringify(headers)).not.toMatch(new RegExp(`${CANARY}|987654`));
}
/** The class alone, whatever was asked for: `y` is `2x`, of which the middle is the largest. */
const LABEL = [0, 1, 0];

describe('18: parameters', () => {
  it('that are reserved change no answer and reach no server behind, over REST', async () => {
    const plain = await ask(body({}));
    const names = [...plain.headers.keys()];
    const said = await plain.json();
    upstream.requests.length = 0;
    upstream.asked.length = 0;
    const answer = await ask(body(RESERVED));
    expect(answer.status).toBe(200);
    expectNumbersAlone();
    expect([...answer.headers.keys()]).toEqual(names);
    expect(JSON.stringify([...answer.headers])).not.toContain(CANARY);
    expect(await answer.json()).toEqual(said);
    expect(said).toMatchObject({ id: 'q', outputs: [{ name: 'y', data: LABEL }] });
  });

  it('that are reserved change no answer and reach no server behind, over gRPC', async () => {
    const plain = await call({}, 'q');
    upstream.requests.length = 0;
    upstream.asked.length = 0;
    const { headers, response } = await call(RESERVED, 'q');
    expect(headers['grpc-status']).toBe('0');
    expectNumbersAlone();
    expect(Object.keys(headers)).toEqual(Object.keys(plain.headers));
    expect(JSON.stringify(headers)).not.toContain(CANARY);
    expect(response).toEqual(plain.response);
    expect([...response!.outputs[0]!.data]).toEqual(LABEL);
  });

  it('force no raw scores: the binary form has what the detail allows, and a wish for more lowers nothing', async () => {
    for (const parameters of [
      { binary_data_output: true },
      { binary_data_output: true, detail: 'logits' },
      { binary_data_output: true, detail: 'explanation' },
    ]) {
      const answer = await ask({ ...body({}), parameters, outputs: undefined });
      expect(answer.status).toBe(200);
      const bytes = Buffer.from(await answer.arrayBuffer());
      const length = Number(answer.headers.get('inference-header-content-length'));
      const values = bytes.subarray(length);
      expect([0, 4, 8].map((at) => values.readFloatLE(at))).toEqual(LABEL);
      expect(JSON.parse(bytes.subarray(0, length).toString())).toMatchObject({
        outputs: [{ name: 'y', parameters: { detail: 'label', binary_data_size: 12 } }],
      });
    }
  });

  it('and ids: what has line breaks in it is refused, over both faces, and nothing is asked', async () => {
    const named = { [SPLIT]: 1 };
    const input = body({}).inputs[0];
    for (const sent of [
      body({}, { id: SPLIT }),
      body({}, { parameters: named }),
      body({}, { inputs: [{ ...input, parameters: named }] }),
      body({}, { outputs: [{ name: 'y', parameters: named }] }),
    ]) {
      const answer = await ask(sent);
      expect([answer.status, await answer.json()]).toEqual([400, { error: REFUSALS.malformed.message }]);
      expect(JSON.stringify([...answer.headers])).not.toContain(CANARY);
    }
    for (const [parameters, id] of [
      [{}, SPLIT],
      [named, 'q'],
    ] as const) {
      const { headers, response } = await call(parameters, id);
      expect([headers['grpc-status'], response]).toEqual(['3', undefined]);
      expect(JSON.stringify(headers)).not.toContain(CANARY);
    }
    expect(upstream.asked).toEqual([]);
  });

  it('and headers of a caller go no further', async () => {
    const sent = {
      ...{ [`x-${CANARY}`]: CANARY, 'triton-grpc-error': CANARY, cookie: CANARY, 'x-request-id': CANARY },
      ...{ 'x-forwarded-for': CANARY, forwarded: CANARY, baggage: CANARY, tracestate: CANARY },
    };
    const traced = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
    const answer = await ask(body({}), { ...sent, traceparent: traced });
    expect(answer.status).toBe(200);
    expectNumbersAlone();
    expect(JSON.stringify([...answer.headers])).not.toContain(CANARY);
  });
});
