import { expect, it } from 'vitest';
import { decodeInferResponse } from '../../../oip/index.ts';
import { Codec } from './codec.ts';

const long = (count: number) => {
  const data = Array.from({ length: count }, (_, i) => i / 4);
  return Buffer.from(JSON.stringify({ inputs: [{ name: 'x', shape: [count], datatype: 'FP32', data }] }));
};

it('short JSON is read at once, long JSON in a thread, alike', async () => {
  const codec = new Codec();
  const short = codec.decode(long(10), undefined, '192.0.2.1');
  expect(short).not.toBeInstanceOf(Promise);
  const [more, bad] = await Promise.all([
    codec.decode(long(20_000), undefined, '192.0.2.1'),
    codec.decode(Buffer.from('['.repeat(100_000)), undefined, '192.0.2.1'),
  ]);
  expect('request' in more && more.request.inputs[0]!.data).toHaveLength(20_000);
  expect(bad).toMatchObject({ refused: 'request: expected JSON at most 64 deep, got deeper' });
  await codec.close();
});

it('long answers are written in a thread, alike', async () => {
  const codec = new Codec();
  for (const count of [10, 20_000]) {
    const data = Float32Array.from({ length: count }, (_, i) => i / 4);
    const outputs = [
      { name: 'y', datatype: 'FP32', shape: [count], data },
      { name: 'z', datatype: 'FP32', shape: [count], data },
    ] as const;
    const given = codec.encode({ modelName: 'm', outputs }, ['z'], '');
    expect(given instanceof Promise).toBe(count > 8192);
    const { body, headers } = await given;
    const jsonLength = headers['inference-header-content-length'];
    expect(decodeInferResponse({ body, jsonLength }, 'x').outputs.map((output) => output.data)).toEqual([
      data,
      data,
    ]);
  }
  const odd = [{ name: 'y', datatype: 'FP32', shape: [9000], data: new Float32Array(9001) }] as const;
  await expect(codec.encode({ modelName: 'm', outputs: odd }, [], '')).rejects.toMatchObject({
    code: 'run/failed',
  });
  await codec.close();
});

it('what waits for a thread that ends is refused', async () => {
  const codec = new Codec();
  const waiting = [1, 2].map(() => codec.decode(long(200_000), undefined, '192.0.2.1'));
  await codec.close();
  for (const each of waiting) expect(await each).toMatchObject({ busy: true });
  expect(await codec.decode(long(20_000), undefined, '')).toMatchObject({ busy: true });
});
