import { deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  decodeGrpcInferResponse,
  decodeGrpcModelMetadata,
  decodeGrpcYes,
  encodeGrpcModel,
  GRPC_METHODS,
} from '../../../oip/index.ts';
import { REFUSALS } from '../../refusal.ts';
import { SOON, soundMessage, startFaces } from '../faces.fixture.ts';

let at: Awaited<ReturnType<typeof startFaces>>;
let client: Client;
beforeAll(async () => {
  at = await startFaces();
  client = new Client(at.grpc.slice('http://'.length), credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
});
afterAll(async () => {
  client.close();
  await at.stop();
});

/** A call by Google's own client: the message and the trailers, or the error. */
function call(
  method: keyof typeof GRPC_METHODS,
  message: Uint8Array,
  options: { readonly metadata?: Record<string, string>; readonly deadline?: number } = {},
): Promise<{ message: Buffer; trailers: Metadata }> {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(options.metadata ?? {})) metadata.set(key, value);
  return new Promise((resolve, reject) => {
    let answer: Buffer | undefined;
    client
      .makeUnaryRequest(
        GRPC_METHODS[method],
        (value: Uint8Array) => Buffer.from(value),
        (bytes: Buffer) => bytes,
        message,
        metadata,
        options.deadline === undefined ? {} : { deadline: Date.now() + options.deadline },
        (error: ServiceError | null, value?: Buffer) => {
          if (error) reject(error);
          else answer = value;
        },
      )
      .on('status', ({ metadata: trailers }) => {
        if (answer) resolve({ message: answer, trailers });
      });
  });
}
const model = (name: string) => Buffer.concat(encodeGrpcModel({ model: name, version: undefined }));

describe('calls by Google’s client', () => {
  it('learn that it lives, is ready, and what it is', async () => {
    for (const method of ['ServerLive', 'ServerReady'] as const)
      expect(decodeGrpcYes((await call(method, Buffer.alloc(0))).message, 'x')).toBe(true);
    const server = (await call('ServerMetadata', Buffer.alloc(0))).message.toString();
    expect(server).toContain('binary_tensor_data');
  });

  it('learn about models', async () => {
    expect(decodeGrpcYes((await call('ModelReady', model('echo'))).message, 'x')).toBe(true);
    const { message } = await call('ModelMetadata', model('echo'));
    expect(decodeGrpcModelMetadata(message, 'x')).toMatchObject({ name: 'echo', versions: ['1', '2'] });
    await expect(call('ModelReady', model('other'))).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: REFUSALS.unknown.message,
    });
  });

  it('are answered, with the decision in the trailers', async () => {
    const { message, trailers } = await call('ModelInfer', soundMessage(), {
      metadata: { authorization: 'Bearer k' },
    });
    const response = decodeGrpcInferResponse(message, 'x');
    expect(response).toMatchObject({ modelName: 'echo', modelVersion: '2', id: 'q-1' });
    expect(response.outputs[0]!.data).toEqual(Float32Array.of(0.5, -1.5));
    expect(trailers.get('glacis-decision')[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(at.seen.questions.at(-1)).toMatchObject({
      bytes: soundMessage().length,
      caller: { address: '127.0.0.1', authorization: 'Bearer k' },
    });
  });

  it('may ask for a receipt, which comes as a parameter, or with a refusal in the trailers', async () => {
    const metadata = { 'glacis-receipt': '1' };
    const { message } = await call('ModelInfer', soundMessage(), { metadata });
    expect(decodeGrpcInferResponse(message, 'x').parameters!['glacis-receipt']).toMatch(/tlog-proof/);
    const refused = (await call('ModelInfer', soundMessage(undefined, 'refuse-held'), { metadata }).catch(
      (error: unknown) => error,
    )) as ServiceError;
    expect(`${refused.metadata.get('glacis-receipt-bin')[0]}`).toMatch(/^c2sp.org\/tlog-proof@v1\n/);
  });

  it.each(Object.entries(REFUSALS))(
    'that are refused as %s say so, and nothing else',
    async (name, refusal) => {
      await expect(call('ModelInfer', soundMessage(undefined, `refuse-${name}`))).rejects.toMatchObject({
        code: refusal.grpc,
        details: refusal.message,
      });
    },
  );

  it('end at their deadline, and the gateway is told', async () => {
    const late = call('ModelInfer', soundMessage(undefined, 'late'), { deadline: 150 });
    await expect(late).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    await expect.poll(() => at.seen.questions.at(-1)!.signal.aborted, SOON).toBe(true);
    await expect.poll(() => at.faces.inWork(), SOON).toBe(0);
  });

  it('carry tensors of many megabytes', async () => {
    const data = Float32Array.from({ length: 2_000_000 }, (_, i) => i);
    const { message } = await call(
      'ModelInfer',
      soundMessage([{ name: 'x', datatype: 'FP32', shape: [2_000_000], data }]),
    );
    expect(decodeGrpcInferResponse(message, 'x').outputs[0]!.data).toEqual(data);
    expect(at.faces.buffered()).toBe(0);
  });
});

describe('compressed calls', () => {
  const data = new Float32Array(3000);
  const message = soundMessage([{ name: 'x', datatype: 'FP32', shape: [3000], data }]);
  const compressed = (bytes: Buffer) => {
    const prefix = Buffer.from([1, 0, 0, 0, 0]);
    prefix.writeUInt32BE(bytes.length, 1);
    return Buffer.concat([prefix, bytes]);
  };

  it('are inflated, and answered alike where the caller takes that', async () => {
    const answer = await at.call('ModelInfer', message, {
      body: compressed(gzipSync(message)),
      headers: { 'grpc-encoding': 'gzip', 'grpc-accept-encoding': 'identity, gzip' },
    });
    expect(answer.headers).toMatchObject({ 'grpc-encoding': 'gzip' });
    expect(answer.code).toBe(0);
    const response = decodeGrpcInferResponse(gunzipSync(answer.message), 'x');
    expect(response.outputs[0]!.data).toEqual(data);
  });

  it('in deflate, to a caller who takes no compressed answer', async () => {
    const answer = await at.call('ModelInfer', message, {
      body: compressed(deflateSync(message)),
      headers: { 'grpc-encoding': 'deflate' },
    });
    expect(answer.headers['grpc-encoding']).toBeUndefined();
    expect(decodeGrpcInferResponse(answer.message, 'x').outputs[0]!.data).toEqual(data);
  });
});

it('what is not gRPC is told so', async () => {
  const answer = await at.call('ModelInfer', soundMessage(), { headers: { 'content-type': 'text/html' } });
  expect(answer.status).toBe(415);
});
