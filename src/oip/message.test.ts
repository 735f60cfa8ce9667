import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GlacisError } from '../core/error.ts';
import { DATATYPES, type Datatype, isBinaryOnly } from './datatype.ts';
import {
  decodeInferRequest,
  decodeInferResponse,
  encodeInferRequest,
  encodeInferResponse,
  type InferRequest,
  type Outgoing,
  type Tensor,
  wantsBinary,
} from './index.ts';

const incoming = ({ body, headers }: Outgoing) => ({
  body,
  jsonLength: headers['inference-header-content-length'],
});
const text = (value: string) => new TextEncoder().encode(value);
const json = (value: unknown) => ({ body: text(JSON.stringify(value)) });
const error = (code: string, message: RegExp) => ({ code, message: expect.stringMatching(message) });

/** Any element of a type, as an array holds it; without NaN and infinities where JSON has to carry it. */
function elements(datatype: Datatype, count: number, forJson: boolean): fc.Arbitrary<unknown> {
  const array = <T>(of: fc.Arbitrary<T>) => fc.array(of, { minLength: count, maxLength: count });
  const float = forJson ? { noNaN: true, noDefaultInfinity: true } : {};
  const big = (limit: bigint) => (forJson ? 2n ** 53n - 1n : limit);
  switch (datatype) {
    case 'BOOL':
      return array(fc.integer({ min: 0, max: 1 })).map((v) => Uint8Array.from(v));
    case 'UINT8':
      return array(fc.integer({ min: 0, max: 255 })).map((v) => Uint8Array.from(v));
    case 'UINT16':
    case 'FP16':
    case 'BF16':
      return array(fc.integer({ min: 0, max: 65_535 })).map((v) => Uint16Array.from(v));
    case 'UINT32':
      return array(fc.integer({ min: 0, max: 2 ** 32 - 1 })).map((v) => Uint32Array.from(v));
    case 'UINT64':
      return array(fc.bigInt(0n, big(2n ** 64n - 1n))).map((v) => BigUint64Array.from(v));
    case 'INT8':
      return array(fc.integer({ min: -128, max: 127 })).map((v) => Int8Array.from(v));
    case 'INT16':
      return array(fc.integer({ min: -32_768, max: 32_767 })).map((v) => Int16Array.from(v));
    case 'INT32':
      return array(fc.integer()).map((v) => Int32Array.from(v));
    case 'INT64':
      return array(fc.bigInt(-big(2n ** 63n), big(2n ** 63n - 1n))).map((v) => BigInt64Array.from(v));
    case 'FP32':
      return array(fc.float(float)).map((v) => Float32Array.from(v));
    case 'FP64':
      return array(fc.double(float)).map((v) => Float64Array.from(v));
    case 'BYTES':
      return forJson
        ? array(
            fc
              .string({ unit: 'binary' })
              .filter((s) => s.isWellFormed())
              .map(text),
          )
        : array(fc.uint8Array({ maxLength: 9 }));
  }
}

const names = fc.string({ minLength: 1, maxLength: 12 });
const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
const parameters = fc.dictionary(
  names.filter((key) => !key.startsWith('binary_data')),
  fc.oneof(
    names,
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((v) => v || 0),
  ),
  { noNullPrototype: true, maxKeys: 3 },
);
const tensor = (datatype: Datatype, forJson: boolean): fc.Arbitrary<Tensor> =>
  fc.tuple(names, shapes, parameters).chain(([name, shape, parameters]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    return elements(datatype, count, forJson).map(
      (data) => ({ name, datatype, shape, data, parameters }) as Tensor,
    );
  });
const distinct = (tensors: fc.Arbitrary<Tensor>) =>
  fc.uniqueArray(tensors, { selector: ({ name }) => name, minLength: 1, maxLength: 4 });

describe.each(DATATYPES)('%s', (datatype) => {
  it('comes back from binary form bit for bit', () =>
    fc.assert(
      fc.property(tensor(datatype, false), (given) => {
        const response = { modelName: 'm', parameters: {}, outputs: [given] };
        const sent = encodeInferResponse(response, () => true);
        expect(decodeInferResponse(incoming(sent), 'x')).toEqual(response);
      }),
      { numRuns: 60 },
    ));
});

describe.each(DATATYPES.filter((datatype) => !isBinaryOnly(datatype)))('%s', (datatype) => {
  it('comes back from JSON, flat or nested as its shape', () =>
    fc.assert(
      fc.property(tensor(datatype, true), (given) => {
        const response = { modelName: 'm', parameters: {}, outputs: [given] };
        const sent = encodeInferResponse(response, () => false);
        expect(decodeInferResponse(incoming(sent), 'x')).toEqual(response);
        const message = JSON.parse(new TextDecoder().decode(sent.body));
        message.outputs[0].data = nested(message.outputs[0].data, given.shape);
        // A dimension of 0 in the middle leaves lists that say less than the shape; JSON.stringify loses the sign of -0.
        const again = decodeInferResponse(json(message), 'x').outputs[0]!.data;
        expect(Array.from(again as Iterable<unknown>, positive)).toEqual(
          Array.from(given.data as Iterable<unknown>, positive),
        );
      }),
      { numRuns: 60 },
    ));
});

const positive = (value: unknown) => (value === 0 ? 0 : value);

function nested(flat: readonly unknown[], shape: readonly number[]): unknown {
  if (shape.length <= 1) return flat;
  const size = flat.length / (shape[0] || 1);
  return Array.from({ length: shape[0]! }, (_, i) =>
    nested(flat.slice(i * size, (i + 1) * size), shape.slice(1)),
  );
}

describe('16-bit floats', () => {
  const given = { name: 'x', datatype: 'FP16', shape: [1], data: Uint16Array.of(0x3c00) } as const;

  it('are not written as JSON', () => {
    expect(() => encodeInferResponse({ modelName: 'm', outputs: [given] }, () => false)).toThrow(
      expect.objectContaining(error('option/invalid', /binary format for FP16/)),
    );
  });

  it.each(['FP16', 'BF16'])('are not read from JSON: %s', (datatype) => {
    const message = json({ outputs: [{ name: 'x', datatype, shape: [1], data: [1] }] });
    expect(() => decodeInferResponse(message, 'x')).toThrow(
      expect.objectContaining(error('endpoint/bad-answer', /in binary form/)),
    );
  });
});

describe('requests', () => {
  const wishes = fc.uniqueArray(fc.record({ name: names, binary: fc.boolean(), parameters }), {
    selector: ({ name }) => name,
    maxLength: 3,
  });
  const requests = fc.record(
    {
      id: names,
      parameters,
      inputs: distinct(fc.constantFrom('FP32' as const, 'INT64' as const).chain((d) => tensor(d, true))),
      outputs: wishes,
      binaryOutput: fc.boolean(),
    },
    { requiredKeys: ['parameters', 'inputs', 'binaryOutput'] },
  ) as fc.Arbitrary<InferRequest>;

  it('come back with every field, whichever way the inputs go', () =>
    fc.assert(
      fc.property(requests, fc.boolean(), (request, binary) => {
        expect(decodeInferRequest(incoming(encodeInferRequest(request, { binary })))).toEqual(request);
      }),
      { numRuns: 200 },
    ));

  it("read the binary extension's own example", () => {
    const head = JSON.stringify({
      model_name: 'mymodel',
      inputs: [
        { name: 'input0', shape: [2, 2], datatype: 'UINT32', parameters: { binary_data_size: 16 } },
        { name: 'input1', shape: [3], datatype: 'BOOL', parameters: { binary_data_size: 3 } },
      ],
      outputs: [{ name: 'output0', parameters: { binary_data: true } }],
    });
    const raw = [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1];
    const body = Uint8Array.from([...text(head), ...raw]);
    const request = decodeInferRequest({ body, jsonLength: `${head.length}` });
    expect(request.inputs.map(({ data }) => Array.from(data as Iterable<number>))).toEqual([
      [1, 2, 3, 256],
      [1, 0, 1],
    ]);
    expect(wantsBinary(request, 'output0')).toBe(true);
  });

  it("write what Triton's client writes", () => {
    const { body, headers } = encodeInferRequest(
      {
        inputs: [{ name: 'INPUT0', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(1, -2) }],
        binaryOutput: true,
      },
      { binary: true },
    );
    const head =
      '{"parameters":{"binary_data_output":true},"inputs":[{"name":"INPUT0","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}]}';
    expect(headers).toEqual({
      'content-type': 'application/octet-stream',
      'inference-header-content-length': `${head.length}`,
    });
    expect(body).toEqual(Uint8Array.from([...text(head), 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]));
  });

  it('name the form of each output they list: Triton does not look elsewhere', () => {
    const x = { name: 'x', datatype: 'FP32', shape: [0], data: new Float32Array(0) } as const;
    const outputs = [
      { name: 'y', binary: true },
      { name: 'z', binary: false },
    ];
    for (const binaryOutput of [true, false]) {
      const { body } = encodeInferRequest({ inputs: [x], outputs, binaryOutput }, { binary: false });
      const [y, z] = JSON.parse(new TextDecoder().decode(body)).outputs;
      expect(y.parameters).toEqual({ binary_data: true });
      expect(z.parameters).toEqual(binaryOutput ? { binary_data: false } : undefined);
    }
  });

  it("refuse the specification's example, whose second input has one element for three", () => {
    const message = json({
      id: '42',
      inputs: [
        { name: 'input0', shape: [2, 2], datatype: 'UINT32', data: [1, 2, 3, 4] },
        { name: 'input1', shape: [3], datatype: 'BOOL', data: [true] },
      ],
      outputs: [{ name: 'output0' }],
    });
    expect(() => decodeInferRequest(message)).toThrow(
      expect.objectContaining(
        error('request/invalid', /"input1" data: expected 3 elements for \[3\], got 1/),
      ),
    );
  });
});

describe('a message that breaks the protocol', () => {
  const input = { name: 'x', datatype: 'FP32', shape: [2], data: [1, 2] };
  const inputs = (...changed: readonly object[]) => ({ inputs: changed.map((c) => ({ ...input, ...c })) });
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

  it.each<[string, unknown, RegExp]>([
    ['no object', [], /expected an object, got a list of 0/],
    ['no inputs', {}, /inputs: expected a list, got nothing/],
    ['a name twice', inputs({}, {}), /each name once, got "x" twice/],
    ['no name', { inputs: [{ ...input, name: undefined }] }, /name: expected text, got nothing/],
    ['a name with a line end', inputs({ name: 'a\nb' }), /without control characters, got "a\\nb"/],
    ['a lone surrogate in a name', inputs({ name: '\ud800' }), /without control characters/],
    ['an endless name', inputs({ name: 'a'.repeat(2000) }), /at most 1024 characters/],
    ['an unknown type', inputs({ datatype: 'FP8' }), /one of the protocol's, got "FP8"/],
    ['a type from the prototype', inputs({ datatype: 'constructor' }), /one of the protocol's/],
    ['a negative dimension', inputs({ shape: [-1, 2] }), /whole numbers from 0, got -1/],
    ['a broken dimension', inputs({ shape: [1.5] }), /whole numbers from 0, got 1.5/],
    ['a dimension as text', inputs({ shape: ['2'] }), /whole numbers from 0, got a string/],
    ['too many dimensions', inputs({ shape: Array(40).fill(1) }), /a list of at most 32, got 40/],
    ['a product beyond 2^53', inputs({ shape: [2 ** 50, 2 ** 50] }), /expected Infinity elements/],
    ['a dimension of 2^63', inputs({ shape: [2 ** 63] }), /whole numbers from 0/],
    ['too few elements', inputs({ data: [1] }), /expected 2 elements for \[2\], got 1/],
    [
      'a huge shape over nested lists',
      inputs({ shape: [1, 2 ** 40], data: [[1]] }),
      /a list of 1099511627776 at depth 2/,
    ],
    ['lists of unequal length', inputs({ shape: [2, 2], data: [[1, 2], [3]] }), /a list of 2 at depth 2/],
    [
      'half nested lists',
      inputs({
        shape: [2, 2, 1],
        data: [
          [1, 2],
          [3, 4],
        ],
      }),
      /a list of 1 at depth 3/,
    ],
    [
      'deeper lists than dimensions',
      inputs({ shape: [1, 1], data: [[[1]]] }),
      /element 0: expected a number/,
    ],
    [
      'text for a number',
      inputs({ data: [1, 'NaN'] }),
      /element 1: expected a number that FP32 holds, got a string/,
    ],
    [
      'null for a number',
      inputs({ data: [null, 1] }),
      /element 0: expected a number that FP32 holds, got null/,
    ],
    ['a number beyond FP32', inputs({ data: [1e39, 1] }), /element 0: expected a number that FP32 holds/],
    [
      'a fraction for an integer',
      inputs({ datatype: 'INT32', data: [1, 0.5] }),
      /whole number from -2147483648/,
    ],
    ['300 for UINT8', inputs({ datatype: 'UINT8', data: [300, 1] }), /whole number from 0 to 255/],
    ['an INT64 that JSON rounds', inputs({ datatype: 'INT64', data: [2 ** 53, 1] }), /to 9007199254740991/],
    ['1 for true', inputs({ datatype: 'BOOL', data: [1, true] }), /expected true or false/],
    ['neither data nor bytes', inputs({ data: undefined }), /either data or binary_data_size, got neither/],
    ['both', inputs({ parameters: { binary_data_size: 8 } }), /either data or binary_data_size, got both/],
    [
      'bytes that are not there',
      inputs({ data: undefined, parameters: { binary_data_size: 8 } }),
      /0 bytes that are left, got 8/,
    ],
    [
      'a negative size',
      inputs({ data: undefined, parameters: { binary_data_size: -1 } }),
      /bytes that are left, got -1/,
    ],
    [
      'a size as text',
      inputs({ data: undefined, parameters: { binary_data_size: '8' } }),
      /left, got a string/,
    ],
    ['a list as parameter', { ...inputs({}), parameters: { a: [] } }, /text, a finite number or a boolean/],
    [
      'a flag as text',
      { ...inputs({}), parameters: { binary_data_output: 'yes' } },
      /true or false, got a string/,
    ],
    [
      'an output twice',
      { ...inputs({}), outputs: [{ name: 'y' }, { name: 'y' }] },
      /outputs: expected each name once/,
    ],
  ])('%s', (_, message, expected) => {
    expect(() => decodeInferRequest(json(message))).toThrow(
      expect.objectContaining(error('request/invalid', expected)),
    );
  });

  it.each<[string, string, RegExp]>([
    ['no JSON', '<html>', /expected JSON, got 6 bytes that are not/],
    ['nothing', '', /expected JSON/],
    ['NaN', '{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[NaN]}]}', /expected JSON/],
    ['an infinity', '{"inputs":[{"name":"x","datatype":"FP64","shape":[1],"data":[1e999]}]}', /FP64 holds/],
    ['a byte order mark', '\ufeff{"inputs":[]}', /expected JSON/],
    ['lists without end', `{"inputs":${deep}}`, /at most 64 deep/],
    [
      'lists without end as data',
      `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,1],"data":${deep}}]}`,
      /expected/,
    ],
    ['a prototype', '{"__proto__":{"inputs":[]}}', /inputs: expected a list, got nothing/],
  ])('%s as text', (_, message, expected) => {
    expect(() => decodeInferRequest({ body: text(message) })).toThrow(
      expect.objectContaining(error('request/invalid', expected)),
    );
  });

  it('bytes that are not UTF-8', () => {
    expect(() => decodeInferRequest({ body: Uint8Array.of(0x22, 0xff, 0x22) })).toThrow(/not UTF-8/);
  });

  it('is never quoted: neither bytes of a tensor nor the text around', () => {
    const secret = '{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":["hunter2"]}]} hunter2';
    for (const body of [secret, secret.slice(0, -8)]) {
      const thrown = caught(() => decodeInferRequest({ body: text(body) }));
      expect(`${thrown.message}${thrown.cause}`).not.toContain('hunter2');
    }
  });

  const head = '{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}}]}';
  const body = Uint8Array.from([...text(head), 0, 0, 0x80, 0x3f]);

  it.each(['', 'NaN', '-1', '1e2', '0x10', '91, 91', `${body.length + 1}`, '99999999999'])(
    'a length of JSON that is no length: %j',
    (jsonLength) => {
      expect(() => decodeInferRequest({ body, jsonLength })).toThrow(
        expect.objectContaining(
          error('request/invalid', /inference-header-content-length: expected a number/),
        ),
      );
    },
  );

  it('a length of JSON that cuts it', () => {
    expect(() => decodeInferRequest({ body, jsonLength: `${head.length - 1}` })).toThrow(/expected JSON/);
  });

  it('bytes after the last tensor', () => {
    const longer = Uint8Array.from([...body, 0]);
    expect(() => decodeInferRequest({ body: longer, jsonLength: `${head.length}` })).toThrow(
      /expected 4 bytes after the JSON, got 5/,
    );
  });

  it('binary data of the wrong size for its shape', () => {
    const other = head.replace('"shape":[1]', '"shape":[2]');
    const longer = Uint8Array.from([...text(other), 0, 0, 0, 0]);
    expect(() => decodeInferRequest({ body: longer, jsonLength: `${other.length}` })).toThrow(
      /expected 8 bytes for FP32 \[2\], got binary_data_size 4/,
    );
  });

  it.each<[string, string, readonly number[], RegExp]>([
    [
      'a boolean of 2',
      '{"inputs":[{"name":"x","datatype":"BOOL","shape":[1],"parameters":{"binary_data_size":1}}]}',
      [2],
      /0 or 1 for BOOL/,
    ],
    [
      'text longer than the bytes',
      '{"inputs":[{"name":"x","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":5}}]}',
      [9, 0, 0, 0, 65],
      /an end inside element 0/,
    ],
    [
      'more texts than bytes',
      '{"inputs":[{"name":"x","datatype":"BYTES","shape":[60000],"parameters":{"binary_data_size":4}}]}',
      [0, 0, 0, 0],
      /60000 elements of BYTES/,
    ],
    [
      'bytes after the last text',
      '{"inputs":[{"name":"x","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":6}}]}',
      [1, 0, 0, 0, 65, 66],
      /expected 5 bytes for 1 elements/,
    ],
  ])('%s', (_, json, bytes, expected) => {
    const body = Uint8Array.from([...text(json), ...bytes]);
    expect(() => decodeInferRequest({ body, jsonLength: `${json.length}` })).toThrow(
      expect.objectContaining(error('request/invalid', expected)),
    );
  });
});

function caught(run: () => unknown): Error {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof Error) return thrown;
  }
  throw new Error('expected an error');
}

describe('writing', () => {
  const y = (change: object) =>
    ({ name: 'y', datatype: 'FP32', shape: [1], data: Float32Array.of(1), ...change }) as Tensor;

  it.each<[string, Tensor, string]>([
    ['other data than the shape says', y({ shape: [2] }), 'data/mismatch'],
    ['a negative dimension', y({ shape: [-1, -1] }), 'data/mismatch'],
    ['NaN as JSON', y({ data: Float32Array.of(Number.NaN) }), 'data/not-finite'],
    [
      'text that is not UTF-8 as JSON',
      y({ datatype: 'BYTES', data: [Uint8Array.of(0xff)] }),
      'data/mismatch',
    ],
  ])('refuses %s', (_, given, code) => {
    expect(() => encodeInferResponse({ modelName: 'm', outputs: [given] }, () => false)).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it('writes a float32 that was rounded as people would', () => {
    const data = Float32Array.of(0.0024, 0.1, -1.5, 1e-7, 16_777_216, 0.3333333);
    const outputs: Tensor[] = [{ name: 'y', datatype: 'FP32', shape: [6], data }];
    const { body } = encodeInferResponse({ modelName: 'm', outputs }, () => false);
    const said = new TextDecoder().decode(body);
    expect(said).toContain('[0.0024,0.1,-1.5,1.0000000116860974e-7,16777216,');
    expect(decodeInferResponse({ body }, 'x').outputs[0]!.data).toEqual(data);
  });

  it('keeps the sign of zero in JSON and every digit of 64-bit integers', () => {
    const outputs = [
      y({ data: Float32Array.of(-0) }),
      y({ name: 'z', datatype: 'INT64', data: BigInt64Array.of(2n ** 63n - 1n) }),
    ];
    const { body } = encodeInferResponse({ modelName: 'm', outputs }, () => false);
    expect(new TextDecoder().decode(body)).toBe(
      '{"model_name":"m","outputs":[{"name":"y","shape":[1],"datatype":"FP32","data":[-0.0]},{"name":"z","shape":[1],"datatype":"INT64","data":[9223372036854775807]}]}',
    );
  });
});

describe('hostile bytes', () => {
  const samples = [true, false].map((binary) =>
    encodeInferRequest(
      {
        id: '1',
        parameters: { a: 1 },
        inputs: [
          { name: 'x', datatype: 'FP32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
          { name: 'n', datatype: 'INT64', shape: [2], data: BigInt64Array.of(1n, -1n) },
          { name: 's', datatype: 'BYTES', shape: [2], data: [text('ab'), text('')] },
        ],
        outputs: [{ name: 'y', binary: true }],
        binaryOutput: false,
      },
      { binary },
    ),
  );
  const holds = (body: Uint8Array, jsonLength: string | undefined) => {
    for (const read of [
      decodeInferRequest,
      (m: Parameters<typeof decodeInferRequest>[0]) => decodeInferResponse(m, 'x'),
    ]) {
      try {
        read({ body, jsonLength });
      } catch (thrown) {
        if (!(thrown instanceof GlacisError)) throw thrown;
      }
    }
  };

  it('give a message or an error with a code', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.option(fc.nat(400)), (bytes, length) =>
        holds(bytes, length === null ? undefined : `${length}`),
      ),
      { numRuns: 300 },
    ));

  it('in the place of some of a message, too', () =>
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(
          fc.tuple(
            fc.nat(),
            fc.oneof(fc.constantFrom(0x22, 0x2c, 0x2d, 0x39, 0x5b, 0x5d, 0xff), fc.nat(255)),
          ),
          {
            minLength: 1,
            maxLength: 4,
          },
        ),
        fc.integer({ min: -2, max: 2 }),
        ({ body, headers }, changes, shift) => {
          const bytes = Uint8Array.from(body);
          for (const [at, value] of changes) bytes[at % bytes.length] = value;
          const length = headers['inference-header-content-length'];
          holds(bytes, length === undefined ? undefined : `${Number(length) + shift}`);
        },
      ),
      { numRuns: 1000 },
    ));

  it('cut anywhere', () => {
    for (const { body, headers } of samples)
      for (let length = 0; length < body.length; length++)
        expect(() =>
          decodeInferRequest({
            body: body.subarray(0, length),
            jsonLength: headers['inference-header-content-length'],
          }),
        ).toThrow(GlacisError);
  });

  it('as JSON of any kind', () =>
    fc.assert(
      fc.property(
        fc.record({
          inputs: fc.anything(),
          outputs: fc.anything(),
          parameters: fc.anything(),
          id: fc.anything(),
        }),
        (value) => {
          let written: string;
          try {
            written = JSON.stringify(value);
          } catch {
            return; // a BigInt
          }
          holds(text(written), undefined);
        },
      ),
      { numRuns: 500 },
    ));
});
