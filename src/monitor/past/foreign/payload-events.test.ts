import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GlacisError } from '../../../core/error.ts';
import { ARRAYS, DATATYPES } from '../../../oip/datatype.ts';
import { encodeInferRequest } from '../../../oip/request.ts';
import { encodeInferResponse } from '../../../oip/response.ts';
import type { Tensor } from '../../../oip/tensor.ts';
import type { Sighting } from '../../sighting.ts';
import { blocksOf } from '../open-past.ts';
import { openInferenceEvents } from './inference-events.ts';
import { pastFromForeign } from './past-from-foreign.ts';

const AT = '2026-11-22T09:30:12Z';
const event = (side: 'request' | 'response', id: string, body: Uint8Array | undefined, over: object = {}) =>
  JSON.stringify({
    ...{ specversion: '1.0', id, source: 'http://localhost/', time: AT },
    ...{ type: `org.kubeflow.serving.inference.${side}`, inferenceservicename: 'signs', namespace: 'prod' },
    ...(body && { data_base64: Buffer.from(body).toString('base64') }),
    ...over,
  });
const metadata = (headers: Readonly<Record<string, readonly string[]>>) => ({
  metadata: JSON.stringify(headers),
});

/** Zeros and ones by turns; of texts `0` and `1`. */
const tensorOf = (datatype: Tensor['datatype'], shape: readonly number[]): Tensor => {
  const count = shape.reduce((product, size) => product * size, 1);
  const numbers = Array.from({ length: count }, (_, i) => i % 2);
  if (datatype === 'BYTES')
    return { name: 'x', datatype, shape, data: numbers.map((each) => Buffer.from(`${each}`)) };
  // The bits of one as 16-bit floats.
  const one = datatype === 'FP16' ? 0x3c00 : datatype === 'BF16' ? 0x3f80 : 1;
  const data = new ARRAYS[datatype](count);
  const isBig = data instanceof BigInt64Array || data instanceof BigUint64Array;
  for (const [i, each] of numbers.entries()) data[i] = isBig ? BigInt(each) : each * one;
  return { name: 'x', datatype, shape, data } as Tensor;
};
const requestOf = (input: Tensor) =>
  encodeInferRequest({ inputs: [input], binaryOutput: true }, { binary: true });
const responseOf = (output: Tensor) =>
  encodeInferResponse({ modelName: 'signs', modelVersion: '2', outputs: [output] }, () => true);
const scores = (values: readonly number[], rows: number): Tensor => ({
  ...{ name: 'y', datatype: 'FP32', shape: [rows, values.length / rows], data: Float32Array.from(values) },
});

// vectors/payload-events.jsonl: bodies between tritonclient 2.5x (binary, JSON, gzip, deflate) and Triton 2.51.0 (of nvidia-pytriton 0.7.0), 2026-11-23; the events around them as pkg/logger of
// KServe 0.16 writes them by its source, with the headers X-Forwarded-User and Inference-Header-Content-Length kept. Classes are those that the client was answered.
const RECORDED = readFileSync(new URL('./vectors/payload-events.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n');

describe('payload events between a client and a Triton', () => {
  const readAll = (lines: readonly string[], caller?: string) => {
    const events = openInferenceEvents(undefined, caller);
    const found = lines.map((line) => events.read(line)).filter((each) => each !== undefined);
    return { found, unanswered: events.unanswered() };
  };
  const classes = (found: readonly Sighting[]) => found.map(({ top }) => top?.map(([label]) => label));

  it('give samples and classes, of binary, plain and compressed bodies', () => {
    const { found, unanswered } = readAll(RECORDED, 'x-forwarded-user');
    // Three requests were refused: a shape, a datatype, and one that is no JSON.
    expect(unanswered).toBe(3);
    expect(found).toHaveLength(10);
    // The third answer is NaN; bytes8 and text answer with one number a sample.
    expect(classes(found)).toEqual([[0, 2], [2], [0], [2, 0], [2], [3, 5], [2], [2], [1], [2]]);
    expect(found.map(({ n }) => n)).toEqual([2, 1, 1, 2, 1, 2, 1, 1, 1, 1]);
    expect(found[2]!.sketch!.values.slice(0, 4)).toEqual(Float32Array.of(NaN, Infinity, -Infinity, 0.5));
    expect([...found[3]!.sketch!.values].slice(0, 8)).toEqual([34, 44, 34, 115, 10, 92, 0, 255]);
    expect(found[5]!.sketch).toBeUndefined();
    expect(found.map(({ principal }) => principal).slice(-4)).toEqual([undefined, 'ann', 'ben', 'ben']);
    // Two calls with one Ce-Id are two.
    expect(new Set(found.map(({ id }) => id)).size).toBe(10);
  });

  it('give the same without the header that says where JSON ends', () => {
    const bare = RECORDED.map((line) => JSON.stringify({ ...JSON.parse(line), metadata: '{}' }));
    const named = ({ id: _, principal: __, ...rest }: Sighting) => rest;
    expect(readAll(bare).found.map(named)).toEqual(readAll(RECORDED).found.map(named));
  });
});

describe('binary tensors', () => {
  it.each(DATATYPES)('of %s are read, and texts are counted', (datatype) => {
    const events = openInferenceEvents(undefined);
    const input = requestOf(tensorOf(datatype, [2, 4]));
    events.read(event('request', 'a', input.body));
    const found = events.read(event('response', 'a', responseOf(scores([0.2, 0.8, 0.9, 0.1], 2)).body))!;
    expect(found).toMatchObject({ n: 2, version: '2', model: 'signs', outcome: 'answered' });
    expect(found.top!.map(([label]) => label)).toEqual([1, 0]);
    if (datatype === 'BYTES') expect(found.sketch).toBeUndefined();
    else expect([...found.sketch!.values]).toEqual([0, 1, 0, 1, 0, 1, 0, 1]);
  });

  it('take the length of the JSON from an attribute or a kept header, and of a response never the request’s', () => {
    const { body, headers } = requestOf(tensorOf('FP32', [1, 4]));
    const length = headers['inference-header-content-length']!;
    const answer = responseOf(scores([0.2, 0.8], 1)).body;
    for (const said of [
      { 'inference-header-content-length': length },
      { inferenceheadercontentlength: Number(length) },
      metadata({ 'Inference-Header-Content-Length': [length] }),
      { metadata: { 'inference-header-content-length': length } },
    ]) {
      const events = openInferenceEvents(undefined);
      events.read(event('request', 'a', body, said));
      const kept = metadata({ 'Inference-Header-Content-Length': [length] });
      expect(events.read(event('response', 'a', answer, kept))).toMatchObject({
        n: 1,
        top: [[1, expect.closeTo(0.8)]],
      });
    }
  });

  it.each([
    [
      'a length beyond the body',
      (body: Buffer) => body,
      { inferenceheadercontentlength: '999999' },
      /up to the body's/,
    ],
    ['a length within the JSON', (body: Buffer) => body, { inferenceheadercontentlength: '12' }, /JSON/],
    ['a length that is none', (body: Buffer) => body, { inferenceheadercontentlength: 'all' }, /"?all/],
    [
      'a cut tensor',
      (body: Buffer) => body.subarray(0, -1),
      {},
      /binary_data_size: expected a whole number up to/,
    ],
    ['bytes too many', (body: Buffer) => Buffer.concat([body, Buffer.of(1)]), {}, /bytes after the JSON/],
    ['JSON without an end', (body: Buffer) => body.subarray(0, 20), {}, /without an end/],
    ['no JSON', () => Buffer.from([0, 1, 2]), {}, /expected a JSON object/],
    ['a bomb', () => gzipSync(Buffer.alloc(2 ** 26 + 1)), {}, /inflates to at most/],
    ['a cut gzip', () => gzipSync('{"inputs":[]}').subarray(0, 15), {}, /another format/],
  ] as const)(
    'that lie are an error where a server answered them, and nothing where none did: %s',
    (_, change, over, says) => {
      const body = change(Buffer.from(requestOf(tensorOf('FP32', [1, 4])).body));
      const events = openInferenceEvents(undefined);
      expect(events.read(event('request', 'a', body, over))).toBeUndefined();
      expect(() => events.read(event('response', 'a', responseOf(scores([1, 2], 1)).body))).toThrowError(
        expect.objectContaining({
          ...{ code: 'data/mismatch', message: expect.stringMatching(/^the request of this response: /) },
        }),
      );
      events.read(event('request', 'b', body, over));
      expect(() => events.read(event('response', 'b', undefined, { data: {} }))).toThrow(says);
      // Who sends the next request with the same id is not hidden by one that was refused.
      events.read(event('request', 'c', body, over));
      events.read(event('request', 'c', requestOf(tensorOf('FP32', [1, 4])).body));
      expect(events.read(event('response', 'c', undefined, { data: {} }))!.sketch!.rows).toBe(1);
    },
  );

  it.each([
    [{ shape: [2 ** 31, 2 ** 31, 8] }, /expected Infinity bytes|expected \d+ bytes/],
    [{ shape: [-1, 4] }, /whole numbers from 0/],
    [{ datatype: 'FP31' }, /one of the protocol's/],
    [{ parameters: { binary_data_size: -4 } }, /whole number up to/],
    [{ parameters: { binary_data_size: 1e300 } }, /whole number up to/],
    [{ data: [1] }, /either data or binary_data_size/],
  ])('are refused for what their JSON says: %j', (over, says) => {
    const tensor = {
      name: 'x',
      datatype: 'FP32',
      shape: [1, 4],
      parameters: { binary_data_size: 16 },
      ...over,
    };
    const body = Buffer.concat([Buffer.from(JSON.stringify({ inputs: [tensor] })), Buffer.alloc(16)]);
    const events = openInferenceEvents(undefined);
    events.read(event('request', 'a', body));
    expect(() => events.read(event('response', 'a', undefined, { data: {} }))).toThrow(says);
    expect(() =>
      events.read(event('response', 'b', Buffer.from(`${body}`.replace('inputs', 'outputs')))),
    ).toThrow(GlacisError);
  });

  it('are base64 as a whole, or an error', () => {
    const read = (text: string) =>
      openInferenceEvents('m').read(event('response', 'a', undefined, { data_base64: text }));
    for (const text of ['e30', 'e3 0=', '=', 'e30=e30=', '{}']) expect(() => read(text)).toThrow(/as base64/);
    expect(read('e30=')!.outcome).toBe('answered');
  });

  it('throw nothing but that they do not fit, whatever the bytes', () => {
    const sound = Buffer.from(requestOf(tensorOf('FP32', [1, 4])).body);
    const pack = fc.constantFrom<(bytes: Uint8Array) => Uint8Array>((bytes) => bytes, gzipSync, deflateSync);
    const length = fc.oneof(fc.constant({}), fc.record({ inferenceheadercontentlength: fc.jsonValue() }));
    fc.assert(
      fc.property(
        ...([
          fc.uint8Array({ maxLength: 80 }),
          fc.nat(sound.length),
          fc.nat(sound.length),
          pack,
          length,
        ] as const),
        (noise, from, to, packed, over) => {
          const body = packed(Buffer.concat([sound.subarray(0, from), noise, sound.subarray(to)]));
          const events = openInferenceEvents('m');
          for (const each of ['request', 'response'] as const)
            try {
              const found = events.read(event(each, 'a', body, over));
              if (found !== undefined) expect(found.n).toBeGreaterThanOrEqual(0);
            } catch (thrown) {
              expect(thrown).toBeInstanceOf(GlacisError);
              expect((thrown as GlacisError).code).toBe('data/mismatch');
            }
        },
      ),
    );
  });
});

describe('who called', () => {
  const call = (over: object, caller?: string, response: object = {}) => {
    const events = openInferenceEvents('m', caller);
    events.read(event('request', 'a', undefined, { data: {}, ...over }));
    return events.read(event('response', 'a', undefined, { data: {}, ...response }))!.principal;
  };
  it('is what authid says, or the attribute or kept header that is named', () => {
    expect(call({ authid: 'ann' })).toBe('ann');
    expect(call({}, undefined, { authid: 'ann' })).toBe('ann');
    expect(call({ user: 7 }, 'user')).toBe('7');
    expect(call(metadata({ 'X-Forwarded-User': ['ann'] }), 'x-forwarded-user')).toBe('ann');
    expect(call({ authid: 'ann' }, 'user')).toBeUndefined();
  });
  it('is nobody where it is empty, another kind of value, or of an object’s prototype', () => {
    for (const authid of ['', null, {}, ['ann'], true]) expect(call({ authid })).toBeUndefined();
    expect(call({}, 'constructor')).toBeUndefined();
    expect(call({ metadata: 'none' }, 'user')).toBeUndefined();
    expect(call({ metadata: `{"user":["${'x'.repeat(2 ** 16)}"]}` }, 'user')).toBeUndefined();
  });
  it('is not who a header names that was sent beside the proxy’s', () => {
    expect(call(metadata({ 'X-User': ['eve', 'ann'] }), 'x-user')).toBe('eve, ann');
    expect(call({ authid: 'a'.repeat(9000) })).toHaveLength(256);
  });
});

describe('ids that callers choose', () => {
  it('hide no call, and what is delivered again is no other call', () => {
    const events = openInferenceEvents('m');
    const response = (second: number) =>
      events.read(event('response', 'same', undefined, { data: {}, time: `2026-11-22T09:30:${second}Z` }))!
        .id;
    expect(response(10)).toBe('same');
    expect(response(11)).toBe(`same ${Date.UTC(2026, 10, 22, 9, 30, 11)}`);
    expect([response(10), response(11)]).toEqual(['same', `same ${Date.UTC(2026, 10, 22, 9, 30, 11)}`]);
  });
});

it('an event may have some megabytes, and a bomb of brackets is none', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'glacis-events-'));
  try {
    const path = join(folder, 'events.jsonl');
    const readAll = async (...lines: readonly string[]) => {
      writeFileSync(path, lines.join('\n'));
      const found: Sighting[] = [];
      for await (const { sightings } of blocksOf(pastFromForeign(path, 'kserve-cloudevents')))
        found.push(...sightings);
      return found;
    };
    const request = event('request', 'a', requestOf(tensorOf('FP32', [4, 3, 224, 224])).body);
    expect(request.length).toBeGreaterThan(2 ** 21);
    const [found] = await readAll(
      request,
      event('response', 'a', responseOf(scores([1, 0, 0, 1, 1, 0, 0, 1], 4)).body),
    );
    expect(found!.sketch).toMatchObject({ rows: 4, width: 3 * 64 + 3 });
    const bomb = `{"type":"org.kubeflow.serving.inference.request","id":"a","data":${'[]'.repeat(2 ** 20)}`;
    await expect(readAll(bomb)).rejects.toMatchObject({
      code: 'data/mismatch',
      message: expect.stringContaining(':1: '),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
