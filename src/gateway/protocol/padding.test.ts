import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeGrpcInferResponse, decodeInferResponse } from '../../oip/index.ts';
import { REFUSALS } from '../refusal.ts';
import { SOUND, soundMessage, startFaces } from './faces.fixture.ts';

/** Faces whose answers are filled up to a multiple of 1 KiB. */
let at: Awaited<ReturnType<typeof startFaces>>;
beforeAll(async () => {
  at = await startFaces({}, {}, { padTo: (length) => Math.ceil(Math.max(1, length) / 1024) * 1024 });
});
afterAll(() => at.stop());

it('answers and refusals of REST have the same length, and say the same', async () => {
  const answer = await at.ask(SOUND, { 'accept-encoding': 'gzip' });
  expect([answer.headers.get('content-length'), answer.headers.get('content-encoding')]).toEqual([
    '1024',
    null,
  ]);
  expect(await answer.json()).toMatchObject({ outputs: [{ data: [0.5, -1.5] }] });
  for (const name of Object.keys(REFUSALS)) {
    const refused = await at.ask(SOUND, {}, `/v2/models/refuse-${name}/infer`);
    expect(refused.headers.get('content-length')).toBe('1024');
    expect(await refused.json()).toHaveProperty('error');
  }
  expect((await at.ask('nonsense')).headers.get('content-length')).toBe('1024');
});

it('binary answers keep their tensors where the header says', async () => {
  const answer = await at.ask({ ...SOUND, parameters: { binary_data_output: true } });
  const body = new Uint8Array(await answer.arrayBuffer());
  expect(body).toHaveLength(1024);
  const jsonLength = answer.headers.get('inference-header-content-length');
  expect(decodeInferResponse({ body, jsonLength }, 'x').outputs[0]!.data).toEqual(Float32Array.of(0.5, -1.5));
});

it('messages of gRPC have the same length, and say the same', async () => {
  for (const count of [1, 20, 200]) {
    const data = new Float32Array(count);
    const tensor = { name: 'x', datatype: 'FP32', shape: [count], data } as const;
    const { message } = await at.call('ModelInfer', soundMessage([tensor]));
    expect(message).toHaveLength(1024);
    expect(decodeGrpcInferResponse(message, 'x').outputs[0]!.data).toEqual(data);
  }
});
