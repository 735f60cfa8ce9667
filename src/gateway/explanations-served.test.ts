import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  decodeGrpcInferResponse,
  encodeGrpcInferRequest,
  GRPC_METHODS,
  type InferRequest,
  type Tensor,
} from '../oip/index.ts';
import { serializeModel } from '../onnx/write.ts';
import { hiddenModel } from '../threat/small-model.fixture.ts';
import { readServe } from './config/read-serve.ts';
import { openGateway, type RunningGateway } from './open-gateway.ts';
import { SOON } from './protocol/faces.fixture.ts';

const DATA = [0.3, -1, 0.7, 0.1, 2];
const folder = mkdtempSync(join(tmpdir(), 'glacis-explained-'));
let gateway: RunningGateway;
let client: Client;
/** Keys of callers by the most detail that they may have. */
const keys = { explanation: '', logits: '' };

beforeAll(async () => {
  writeFileSync(join(folder, 'm.onnx'), serializeModel(hiddenModel(5, 8, 3)));
  const serve = {
    listen: { port: 0, grpcPort: 0 },
    management: { port: 0 },
    models: { m: { file: 'm.onnx', check: { asGiven: true } } },
    answers: { detail: 'explanation', explanations: { queries: 7, queue: 4, decimals: 4 } },
  };
  const { config } = readServe(JSON.stringify({ serve }), 'test');
  gateway = await openGateway({ config, folder, dataFolder: join(folder, 'data'), env: {}, home: folder });
  for (const detail of ['explanation', 'logits'] as const) {
    const scope = { models: ['*'], operations: ['infer'], detail } as const;
    const wish = {
      principal: detail,
      tenant: 'acme',
      roles: detail === 'explanation' ? ['admin'] : [],
      scope,
    };
    keys[detail] = (await gateway.keys.create(wish, { id: 'test', mayGrant: true })).text;
  }
  client = new Client(gateway.addresses.grpc!.replace(/^grpc:\/\//, ''), credentials.createInsecure());
}, 180_000);
afterAll(async () => {
  client.close();
  await gateway.drain();
  rmSync(folder, { recursive: true });
});

interface Answer {
  readonly outputs: readonly { readonly name: string; readonly shape: number[]; readonly data: number[] }[];
}

const ask = (parameters: object, key: keyof typeof keys = 'explanation', n = 1) =>
  fetch(`${gateway.addresses.rest}/v2/models/m/infer`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keys[key]}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      parameters,
      inputs: [
        { name: 'x', datatype: 'FP32', shape: [n, 5], data: Array.from({ length: n }, () => DATA).flat() },
      ],
    }),
  });
const explained = async (method: string, n = 1) => {
  const answer = await ask({ 'glacis-explanation': method }, 'explanation', n);
  expect(answer.status).toBe(200);
  const { outputs } = (await answer.json()) as Answer;
  return outputs;
};
const managed = async (path: string) =>
  (
    await fetch(`${gateway.addresses.management}${path}`, {
      headers: { authorization: `Bearer ${keys.explanation}` },
    })
  ).json();

/** The same over gRPC: the outputs, or the code of the refusal. */
function askGrpc(
  parameters: InferRequest['parameters'],
  key: keyof typeof keys,
): Promise<readonly Tensor[] | number> {
  const inputs: Tensor[] = [{ name: 'x', datatype: 'FP32', shape: [1, 5], data: Float32Array.from(DATA) }];
  const message = encodeGrpcInferRequest({
    model: 'm',
    version: undefined,
    request: { inputs, binaryOutput: true, ...(parameters && { parameters }) },
  });
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${keys[key]}`);
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      GRPC_METHODS.ModelInfer,
      (value: Uint8Array) => Buffer.from(value),
      (bytes: Buffer) => bytes,
      Buffer.concat(message),
      metadata,
      {},
      (error: ServiceError | null, value?: Buffer) =>
        resolve(error ? error.code : decodeGrpcInferResponse(value!, 'test').outputs),
    );
  });
}

describe('explanations of a served model', () => {
  it('come over REST and gRPC alike, say what the model’s gradient says, and are charged and logged', async () => {
    const before = (
      (await managed('/api/budgets?principal=explanation&tenant=acme&model=m')) as { used: number }[]
    )[0]!;
    const [scores, saliency] = await explained('saliency');
    expect(saliency).toMatchObject({ name: 'glacis-explanation', shape: [1, 5] });
    const overGrpc = (await askGrpc(
      { 'glacis-explanation': 'saliency' },
      'explanation',
    )) as readonly Tensor[];
    expect(overGrpc[1]).toMatchObject({ name: 'glacis-explanation', shape: [1, 5] });
    expect([...overGrpc[1]!.data]).toEqual([...Float32Array.from(saliency!.data)]);
    // By differences of what is answered: the logits have four decimals, the step is large.
    const top = scores!.data.indexOf(Math.max(...scores!.data));
    const slopes = await Promise.all(DATA.map((_, i) => slopeAt(i, top)));
    const steepest = Math.max(...slopes.map(Math.abs));
    for (const [i, slope] of slopes.entries()) expect(saliency!.data[i]).toBeCloseTo(slope / steepest, 1);
    const after = (
      (await managed('/api/budgets?principal=explanation&tenant=acme&model=m')) as { used: number }[]
    )[0]!;
    expect(after.used - before.used).toBe(2 * (1 + 7) + 2 * DATA.length);
    // The log shows an entry once a signed checkpoint holds it.
    const { headers } = await ask({ 'glacis-explanation': 'integrated' });
    const entry = async () =>
      ((await managed(`/api/decisions/${headers.get('glacis-decision')}`)) as { decision?: object }).decision;
    await expect.poll(entry, SOON).toMatchObject({ detail: 'explanation', explained: 'integrated' });
  });

  it('explain each sample of a batch by itself', async () => {
    const one = (await explained('integrated'))[1]!;
    const three = (await explained('integrated', 3))[1]!;
    expect(three.shape).toEqual([3, 5]);
    expect(three.data).toEqual([one.data, one.data, one.data].flat());
  });

  it('are refused alike without the right, over both', async () => {
    const refused = await ask({ 'glacis-explanation': 'saliency' }, 'logits');
    expect([refused.status, await refused.json()]).toEqual([
      404,
      { error: 'no such model or operation for these credentials' },
    ]);
    expect(await askGrpc({ 'glacis-explanation': 'saliency' }, 'logits')).toBe(5);
    expect((await ask({}, 'logits')).status).toBe(200);
    for (const wrong of ['lime', true, 1, ''])
      expect((await ask({ 'glacis-explanation': wrong })).status).toBe(400);
    expect(await askGrpc({ 'glacis-explanation': 'lime' }, 'explanation')).toBe(3);
  });

  it('hold up nobody who asks for answers alone, however many ask for them', async () => {
    const busy = Array.from({ length: 12 }, () =>
      ask({ 'glacis-explanation': 'integrated' }, 'explanation', 8),
    );
    const plain = await Promise.all(Array.from({ length: 40 }, () => ask({}, 'logits')));
    expect(new Set(plain.map(({ status }) => status))).toEqual(new Set([200]));
    const statuses = (await Promise.all(busy)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(0);
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
  });
});

/** How much output `top` changes with element `i`, by a central difference. */
async function slopeAt(i: number, top: number): Promise<number> {
  const step = 0.05;
  const shape = [2, 5];
  const data = [step, -step].flatMap((by) => DATA.map((value, j) => (j === i ? value + by : value)));
  const answer = await fetch(`${gateway.addresses.rest}/v2/models/m/infer`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keys.explanation}`, 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape, data }] }),
  });
  const [{ data: scores }] = ((await answer.json()) as Answer).outputs as [Answer['outputs'][number]];
  return (scores[top]! - scores[3 + top]!) / (2 * step);
}
