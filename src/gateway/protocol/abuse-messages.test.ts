import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { REFUSALS, type Refusal } from '../refusal.ts';
import { SOUND, soundMessage, startFaces } from './faces.fixture.ts';

/** Abuse cases by the numbers of the list that the gateway is held to: what bodies hold. */
let at: Awaited<ReturnType<typeof startFaces>>;
beforeAll(async () => {
  at = await startFaces({ limits: { jsonBytes: 1 << 20 } }, { mostBytes: 1 << 21 });
});
beforeEach(() => {
  at.seen.questions.length = 0;
  at.seen.malformed.length = 0;
});
afterAll(() => at.stop());

/** A body that must not become a question, and is refused with a message of the catalogue. */
async function refused(
  body: object | string | Uint8Array,
  headers: Record<string, string> = {},
  refusal: Refusal = 'malformed',
): Promise<void> {
  const answer = await at.ask(body, headers);
  expect([answer.status, await answer.json()]).toEqual([
    REFUSALS[refusal].status,
    { error: REFUSALS[refusal].message },
  ]);
  expect(at.seen.questions).toHaveLength(0);
  expect(at.seen.malformed.at(-1)?.what).toMatchObject({ refusal, model: 'echo' });
  expect(at.faces.buffered()).toBe(0);
}
const tensor = (more: object) => ({ inputs: [{ ...SOUND.inputs[0], ...more }] });

/** JSON and binary part with the header that separates them. */
const binary = (json: object, bytes: Uint8Array, length?: string) => {
  const head = Buffer.from(JSON.stringify(json));
  return [
    Buffer.concat([head, bytes]),
    {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': length ?? `${head.length}`,
    },
  ] as const;
};
const inBinary = (...sizes: readonly unknown[]) => ({
  inputs: sizes.map((binary_data_size, i) => ({
    name: `x${i}`,
    shape: [2],
    datatype: 'FP32',
    parameters: { binary_data_size },
  })),
});

describe('1: elements that are not as many as the shape says', () => {
  it.each([
    [{ shape: [3] }],
    [{ shape: [1, 2, 2] }],
    [{ shape: [0] }],
    [{ shape: [], data: [1, 2] }],
    [{ shape: [2, 2], data: [[1, 2], [3]] }],
    [{ shape: [2, 2], data: [[1, 2], 3, 4] }],
    [{ shape: [2, 1], data: [[[1]], [[2]]] }],
    // The specification's own example.
    [{ shape: [3], data: [66] }],
  ])('%j', (more) => refused(tensor(more)));
});

it.each([-1, 0.5, 1e300, 2 ** 63, '2', null, true, [2]])('2: a dimension %j', (size) =>
  refused(tensor({ shape: [1, size] })),
);
it('2: a shape whose product overflows', async () => {
  await refused(tensor({ shape: [2 ** 40, 2 ** 40], data: [] }));
  const huge = { ...inBinary(8).inputs[0]!, shape: [2 ** 32, 2 ** 32] };
  await refused(...binary({ inputs: [huge] }, new Uint8Array(8)));
});
it('3: more dimensions than the limit', () => refused(tensor({ shape: Array(33).fill(1), data: [1] })));

describe('4: sizes of binary data', () => {
  const eight = new Uint8Array(8);
  it.each([[9], [-1], [8.5], ['8'], [2 ** 53], [true], [null]])('%j', (size) =>
    refused(...binary(inBinary(size), eight)),
  );
  it('that do not add up to what follows', () => refused(...binary(inBinary(8, 8), eight)));
  it('that leave nothing for the next', () => refused(...binary(inBinary(16, 0), new Uint8Array(16))));
  it('beside data in JSON', () => refused(...binary(tensor({ parameters: { binary_data_size: 8 } }), eight)));
});

it.each(['NaN', '-1', '1e2', '99999', '99999999999', '0x10', '', ' ', '7, 7'])(
  '5: an Inference-Header-Content-Length of %j',
  (length) => refused(...binary(inBinary(8), new Uint8Array(8), length)),
);
it('5: an Inference-Header-Content-Length twice', async () => {
  const body = JSON.stringify(SOUND);
  const said = await at.raw(
    `POST /v2/models/echo/infer HTTP/1.1\r\nhost: x\r\ninference-header-content-length: ${body.length}\r\ninference-header-content-length: 5\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
  expect(said).toMatch(/^HTTP\/1.1 400 /);
  expect(at.seen.questions).toHaveLength(0);
});
it('5: none, where a binary part follows', () =>
  refused(Buffer.concat([Buffer.from(JSON.stringify(inBinary(8))), new Uint8Array(8)])));

it('6: bytes behind the last tensor', () => refused(...binary(inBinary(8), new Uint8Array(9))));

it.each(['FP8', 'fp32', '', 'FP16', 'BF16', 7, null])('7: datatype %j in JSON', (datatype) =>
  refused(tensor({ datatype })),
);

describe('8: numbers', () => {
  const list = (data: string, datatype = 'FP32') =>
    `{"inputs":[{"name":"x","shape":[1],"datatype":"${datatype}","data":[${data}]}]}`;
  it.each([
    'NaN',
    'Infinity',
    '-Infinity',
    '1e309',
    '1e308',
    '3.5e38',
    '"1"',
    'null',
    'true',
    '[1]',
    '0x1',
    '01',
    '.5',
  ])('FP32 %s', (text) => refused(list(text)));
  it.each([
    ['INT64', '9007199254740993'],
    ['UINT64', '18446744073709551615'],
    ['INT64', '1.5'],
    ['UINT8', '256'],
    ['UINT8', '-1'],
    ['INT8', '-129'],
    ['INT32', '2147483648'],
    ['BOOL', '1'],
    ['BYTES', '1'],
  ])('%s %s', (datatype, text) => refused(list(text, datatype)));
  it('denormals are numbers', async () => {
    const answer = await at.ask(list('1e-45'));
    expect(answer.status).toBe(200);
    expect(at.seen.questions[0]!.request.inputs[0]!.data).toEqual(Float32Array.of(2 ** -149));
  });
});

it('9: names twice, and outputs twice', async () => {
  await refused({ inputs: [SOUND.inputs[0], SOUND.inputs[0]] });
  await refused({ ...SOUND, outputs: [{ name: 'x' }, { name: 'x' }] });
});
it.each([
  [{}],
  [{ inputs: {} }],
  [{ inputs: [null] }],
  [{ inputs: [[]] }],
  [{ inputs: 'x' }],
  ['[]'],
  ['null'],
  ['7'],
  [''],
])('9: no inputs: %j', (body) => refused(body));

describe('10: JSON', () => {
  it('deep as a well', async () => {
    await refused('['.repeat(60_000));
    await refused(`${'['.repeat(30_000)}${']'.repeat(30_000)}`);
    await refused(
      `{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":${'['.repeat(20_000)}${']'.repeat(20_000)}}]}`,
    );
    await refused(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`);
    // In the thread.
    await refused(`${'['.repeat(500_000)}${']'.repeat(500_000)}`);
  });
  it('of 100,000 keys is a question without them', async () => {
    const keys = Array.from({ length: 100_000 }, (_, i) => `"k${i}":0`).join();
    const answer = await at.ask(`{${keys},${JSON.stringify(SOUND).slice(1)}`, {}, '/v2/models/echo/infer');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([413, 'application/json']);
    const fewer = Array.from({ length: 50_000 }, (_, i) => `"k${i}":0`).join();
    expect((await at.ask(`{${fewer},${JSON.stringify(SOUND).slice(1)}`)).status).toBe(200);
    expect(Object.keys(at.seen.questions[0]!.request)).toEqual([
      'id',
      'parameters',
      'inputs',
      'binaryOutput',
    ]);
  });
  it('of too many parameters', () =>
    refused({
      ...SOUND,
      parameters: Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`k${i}`, 1])),
    }));
  it('whose keys would be a prototype', async () => {
    const given = `{"__proto__":{"inputs":[]},"constructor":1,"parameters":{"__proto__":"p","constructor":"c","toString":"t"},"inputs":[{"__proto__":null,"name":"__proto__","shape":[1],"datatype":"FP32","data":[1]}]}`;
    const answer = await at.ask(given);
    expect(answer.status).toBe(200);
    const [question] = at.seen.questions;
    expect(Object.keys(question!.request.parameters!)).toEqual(['__proto__', 'constructor', 'toString']);
    expect(Object.getPrototypeOf(question!.request.parameters!)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>).inputs).toBeUndefined();
    expect(((await answer.json()) as { outputs: { name: string }[] }).outputs[0]!.name).toBe('__proto__');
  });
  it('with a key twice: the last one counts, here and everywhere behind', async () => {
    const given = `{"id":"a","id":"b","inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1],"data":[2]}]}`;
    expect(await (await at.ask(given)).json()).toMatchObject({ id: 'b', outputs: [{ data: [2] }] });
  });
  it('with lone surrogates, a byte order mark, or bytes that are not UTF-8', async () => {
    await refused(`${JSON.stringify(SOUND).slice(0, -1)},"id":"\\ud800"}`);
    await refused(tensor({ datatype: 'BYTES', data: ['a', '\ud800'] }));
    await refused(`\ufeff${JSON.stringify(SOUND)}`);
    await refused(Buffer.concat([Buffer.from('{"id":"'), Buffer.from([0xff]), Buffer.from('"}')]));
    await refused(Buffer.from(JSON.stringify(SOUND), 'utf16le'));
  });
  it('with control characters in what is echoed', async () => {
    for (const id of ['a\nb', 'a\0', '\u001b[31m', 'x\r\nset-cookie: a=b']) await refused({ ...SOUND, id });
    await refused(tensor({ name: 'a\r\nb' }));
  });
  it('with an id that is no text', () => refused({ ...SOUND, id: 7 }));
});

describe('11: compressed bodies', () => {
  const sound = JSON.stringify(SOUND);
  it('a bomb stops at the bound', async () => {
    const bomb = gzipSync(Buffer.alloc(1 << 26));
    await refused(bomb, { 'content-encoding': 'gzip' }, 'too-large');
    await refused(deflateSync(Buffer.alloc(1 << 26)), { 'content-encoding': 'deflate' }, 'too-large');
    await refused(gzipSync(Buffer.alloc((1 << 20) + 1, 32)), { 'content-encoding': 'gzip' }, 'too-large');
  });
  it.each(['br', 'zstd', 'gzip, gzip', 'deflate, gzip', 'x-gzip', 'compress', 'GZIP!', ''])(
    'encoding %j',
    (encoding) =>
      encoding === ''
        ? refused(gzipSync(sound), {})
        : refused(gzipSync(sound), { 'content-encoding': encoding }, 'encoding'),
  );
  it('that are not what they say, end early, or go on', async () => {
    await refused(sound, { 'content-encoding': 'gzip' });
    await refused(deflateSync(sound), { 'content-encoding': 'gzip' });
    await refused(gzipSync(sound), { 'content-encoding': 'deflate' });
    await refused(deflateRawSync(sound), { 'content-encoding': 'deflate' });
    await refused(gzipSync(sound).subarray(0, -9), { 'content-encoding': 'gzip' });
    await refused(Buffer.concat([gzipSync(sound), Buffer.from('trailer')]), { 'content-encoding': 'gzip' });
    await refused(Buffer.concat([deflateSync(sound), Buffer.from('trailer')]), {
      'content-encoding': 'deflate',
    });
    await refused(Buffer.alloc(0), { 'content-encoding': 'gzip' });
  });
  it('nested once is not inflated twice', () =>
    refused(gzipSync(gzipSync(sound)), { 'content-encoding': 'gzip' }));
  it('in many members count together', () => {
    const member = gzipSync(Buffer.alloc(1 << 20));
    return refused(Buffer.concat([member, member, member]), { 'content-encoding': 'gzip' }, 'too-large');
  });
});

it.each(['text/html', 'multipart/form-data; boundary=x', 'text/plain', 'application/xml', 'nonsense'])(
  '11: content type %s',
  async (type) => {
    const answer = await at.ask(SOUND, { 'content-type': type });
    expect([answer.status, await answer.json()]).toEqual([415, { error: REFUSALS.encoding.message }]);
    expect(at.seen.questions).toHaveLength(0);
  },
);

describe('14: lengths of BYTES', () => {
  const strings = (bytes: Uint8Array, shape = [1]) =>
    binary(
      { inputs: [{ name: 'x', shape, datatype: 'BYTES', parameters: { binary_data_size: bytes.length } }] },
      bytes,
    );
  it.each([
    ['beyond the end', [5, 0, 0, 0, 1]],
    ['of 4 GiB', [255, 255, 255, 255, 1]],
    ['cut off', [1, 0, 0]],
    ['with bytes behind', [1, 0, 0, 0, 65, 66]],
  ])('%s', (_name, bytes) => refused(...strings(Uint8Array.from(bytes))));
  it('of more elements than bytes', () => refused(...strings(new Uint8Array(4), [1_000_000_000])));
});

it('17: tensors in shared memory are refused, over both faces', async () => {
  const shared = { shared_memory_region: 'a', shared_memory_byte_size: 8 };
  await refused(tensor({ parameters: shared }));
  await refused({ inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', parameters: shared }] });
  await refused({ ...SOUND, outputs: [{ name: 'x', parameters: shared }] });
  const called = await at.call(
    'ModelInfer',
    soundMessage([
      {
        name: 'x',
        datatype: 'UINT8',
        shape: [1],
        data: Uint8Array.of(1),
        parameters: { shared_memory_region: 'a' },
      },
    ]),
  );
  expect([called.code, called.text]).toEqual([3, REFUSALS.malformed.message]);
});

it('any body is a question or a refusal of the catalogue, and leaves nothing behind', async () => {
  const sound = JSON.stringify(SOUND);
  const spoilt = fc
    .tuple(fc.nat(sound.length - 1), fc.nat(sound.length), fc.string({ maxLength: 5, unit: 'binary' }))
    .map(([from, count, with_]) => sound.slice(0, from) + with_ + sound.slice(from + count));
  const messages = Object.values(REFUSALS).map(({ message }) => message);
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(spoilt, fc.json(), fc.uint8Array({ maxLength: 64 })),
      fc.constantFrom<Record<string, string>>(
        {},
        { 'inference-header-content-length': '10' },
        { 'content-encoding': 'gzip' },
        { 'content-encoding': 'deflate', 'inference-header-content-length': '0' },
      ),
      async (body, headers) => {
        const answer = await at.ask(typeof body === 'string' ? Buffer.from(body) : body, headers);
        const said = (await answer.json()) as { error?: string };
        if (answer.status === 200) expect(said).toHaveProperty('outputs');
        else expect(messages).toContain(said.error);
        expect(answer.status).toBeLessThan(500);
        expect(at.faces.buffered()).toBe(0);
      },
    ),
    { numRuns: 150 },
  );
});
