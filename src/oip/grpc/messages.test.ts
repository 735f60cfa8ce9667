import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GlacisError } from '../../core/error.ts';
import { DATATYPES, type Tensor } from '../index.ts';
import {
  decodeGrpcEmpty,
  decodeGrpcInferRequest,
  decodeGrpcInferResponse,
  decodeGrpcModel,
  decodeGrpcModelMetadata,
  decodeGrpcYes,
  encodeGrpcInferRequest,
  encodeGrpcInferResponse,
  encodeGrpcModel,
  encodeGrpcModelMetadata,
  encodeGrpcServerMetadata,
  encodeGrpcYes,
} from './index.ts';
import { ProtoWriter } from './proto-writer.ts';

/** Written by bench/interop/tritonclient/vectors.py: Google's protobuf code with NVIDIA's definitions (tritonclient 2.73.0). */
const VECTORS = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../test/vectors/oip/messages.json'), 'utf8'),
) as readonly {
  readonly kind: string;
  readonly datatype?: string;
  readonly values?: readonly (string | number)[];
  readonly bytes: string;
}[];
const vector = (kind: string) => Buffer.from(VECTORS.find((each) => each.kind === kind)!.bytes, 'hex');
const whole = (chunks: readonly Uint8Array[]) => Buffer.concat(chunks);
const refused = (because: RegExp) =>
  expect.objectContaining({ code: 'request/invalid', message: expect.stringMatching(because) });

/** A `ModelInferRequest` of one tensor `x`, of which `more` may write further fields. */
function requestOf(
  tensor: {
    readonly name?: string;
    readonly datatype?: string;
    readonly shape?: readonly number[];
    readonly contents?: (writer: ProtoWriter) => void;
  },
  raw: readonly Uint8Array[],
  more: (writer: ProtoWriter) => void = () => {},
): Buffer {
  const writer = new ProtoWriter();
  writer.text(1, 'm');
  writer.message(5, () => {
    writer.text(1, tensor.name ?? 'x');
    writer.text(2, tensor.datatype ?? 'FP32');
    writer.ints(3, tensor.shape ?? [1]);
    if (tensor.contents) writer.message(5, () => tensor.contents!(writer));
  });
  more(writer);
  for (const bytes of raw) writer.view(7, bytes);
  return whole(writer.chunks());
}

describe('messages that Google’s code wrote', () => {
  it.each(VECTORS.filter(({ kind }) => kind === 'typed'))('typed contents of $datatype', (given) => {
    const { request, model } = decodeGrpcInferRequest(Buffer.from(given.bytes, 'hex'));
    const [tensor] = request.inputs;
    expect({ model, name: tensor!.name, datatype: tensor!.datatype, shape: tensor!.shape }).toEqual({
      model: 'm',
      name: 'x',
      datatype: given.datatype,
      shape: [3, 1],
    });
    const shown = Array.from(tensor!.data as ArrayLike<unknown>, (value) =>
      value instanceof Uint8Array
        ? Buffer.from(value).toString('hex')
        : given.datatype === 'BOOL'
          ? value
          : given.datatype!.startsWith('FP')
            ? Number(value)
            : `${value}`,
    );
    const floats = given.datatype!.startsWith('FP');
    expect(shown).toEqual(
      given.values!.map((value) => (floats ? Number(value === 'inf' ? Infinity : value) : value)),
    );
  });

  it('a request with everything in it comes in, and goes out byte for byte', () => {
    const bytes = vector('request');
    const decoded = decodeGrpcInferRequest(bytes);
    expect(decoded.model).toBe('mnist');
    expect(decoded.version).toBe('2');
    expect(decoded.request.id).toBe('a-1');
    expect(decoded.request.parameters).toEqual({ flag: true, half: 0.5, n: -7, text: 'ü' });
    expect(decoded.request.inputs.map(({ shape, parameters }) => [shape, parameters])).toEqual([
      [[1, 200], { k: 0 }],
      [[1, 200], { k: 1 }],
    ]);
    expect([...(decoded.request.inputs[1]!.data as Uint8Array)]).toEqual([...Array(200).keys()]);
    expect(decoded.request.outputs).toEqual([{ name: 'y', binary: true, parameters: { classification: 3 } }]);
    expect(whole(encodeGrpcInferRequest(decoded)).toString('hex')).toBe(bytes.toString('hex'));
  });

  it('responses and metadata come in, and go out byte for byte', () => {
    const response = decodeGrpcInferResponse(vector('response'), 'x');
    expect(response.outputs).toEqual([
      { name: 'y', datatype: 'UINT8', shape: [0, 10], data: new Uint8Array(0), parameters: {} },
    ]);
    expect(whole(encodeGrpcInferResponse(response))).toEqual(vector('response'));
    const metadata = decodeGrpcModelMetadata(vector('metadata'), 'x');
    expect(metadata).toEqual({
      name: 'mnist',
      versions: ['1', '2'],
      platform: 'onnx',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 28, 28, 1, 300] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 10] }],
    });
    expect(whole(encodeGrpcModelMetadata(metadata))).toEqual(vector('metadata'));
    const server = { name: 'glacis', version: '2', extensions: ['binary_tensor_data'] };
    expect(whole(encodeGrpcServerMetadata(server))).toEqual(vector('server'));
  });
});

it('small messages come back', () => {
  for (const model of [
    { model: 'm', version: undefined },
    { model: 'größe', version: '3' },
  ])
    expect(decodeGrpcModel(whole(encodeGrpcModel(model)))).toEqual(model);
  for (const yes of [true, false]) expect(decodeGrpcYes(whole(encodeGrpcYes(yes)), 'x')).toBe(yes);
  expect(() => decodeGrpcEmpty(Buffer.from([0x0b]))).toThrow(refused(/protobuf/));
  decodeGrpcEmpty(Buffer.from([0x08, 0x01]));
});

const ELEMENT = {
  BOOL: fc.integer({ min: 0, max: 1 }),
  BYTES: fc.uint8Array({ maxLength: 200 }),
} as const;
const tensors: fc.Arbitrary<readonly Tensor[]> = fc.uniqueArray(
  fc
    .tuple(
      fc.constantFrom(...DATATYPES),
      fc.string({ minLength: 1, maxLength: 200 }),
      fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }),
    )
    .chain(([datatype, name, shape]) => {
      const count = shape.reduce((product, size) => product * size, 1);
      const width = { 8: 1, 16: 2, 32: 4, 64: 8 }[/\d+$/.exec(datatype)?.[0] ?? '8'] ?? 1;
      const exactly = { minLength: count, maxLength: count };
      const data =
        datatype === 'BYTES'
          ? fc.array(ELEMENT.BYTES, exactly)
          : datatype === 'BOOL'
            ? fc.array(ELEMENT.BOOL, exactly).map((v) => Uint8Array.from(v))
            : fc
                .uint8Array({ minLength: count * width, maxLength: count * width })
                .map((bytes) => typedOf(datatype, bytes));
      return data.map((data) => ({ name, datatype, shape, data, parameters: {} }) as Tensor);
    }),
  { selector: ({ name }) => name, maxLength: 5 },
);
function typedOf(datatype: string, bytes: Uint8Array): ArrayBufferView {
  const { buffer } = Uint8Array.from(bytes);
  const kinds: Record<string, (buffer: ArrayBuffer) => ArrayBufferView> = {
    UINT8: (b) => new Uint8Array(b),
    UINT16: (b) => new Uint16Array(b),
    UINT32: (b) => new Uint32Array(b),
    UINT64: (b) => new BigUint64Array(b),
    INT8: (b) => new Int8Array(b),
    INT16: (b) => new Int16Array(b),
    INT32: (b) => new Int32Array(b),
    INT64: (b) => new BigInt64Array(b),
    FP16: (b) => new Uint16Array(b),
    BF16: (b) => new Uint16Array(b),
    FP32: (b) => new Float32Array(b),
    FP64: (b) => new Float64Array(b),
  };
  return kinds[datatype]!(buffer);
}
const parameters = fc.dictionary(
  fc.string({ maxLength: 140 }),
  fc.oneof(
    fc.string({ maxLength: 20_000 }),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((v) => v || 0),
  ),
  { noNullPrototype: true, maxKeys: 4 },
);
/** What goes for every name in the protocol. */
const usable = ({ inputs, parameters }: { inputs: readonly Tensor[]; parameters: object }) =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused.
  [...inputs.map(({ name }) => name), ...Object.keys(parameters)].every((n) => !/[\0-\x1f\x7f]/.test(n));

it('any request and any response come back', () =>
  fc.assert(
    fc.property(fc.record({ inputs: tensors, parameters }).filter(usable), ({ inputs, parameters }) => {
      const request = { parameters, inputs, binaryOutput: true };
      const given = { model: 'm', version: undefined, request };
      expect(decodeGrpcInferRequest(whole(encodeGrpcInferRequest(given)))).toEqual(given);
      const response = { modelName: 'm', modelVersion: '1', id: 'i', parameters, outputs: inputs };
      expect(decodeGrpcInferResponse(whole(encodeGrpcInferResponse(response)), 'x')).toEqual(response);
    }),
    { numRuns: 200 },
  ));

/** A field of bytes, whatever they are. */
function field(number: number, bytes: Uint8Array): Buffer {
  const writer = new ProtoWriter();
  writer.view(number, bytes);
  return whole(writer.chunks());
}

describe('what is refused', () => {
  const raw4 = new Uint8Array(4);

  it('15: raw and typed contents together, and neither', () => {
    const both = { contents: (writer: ProtoWriter) => writer.message(6, () => {}) };
    expect(() => decodeGrpcInferRequest(requestOf(both, [raw4]))).toThrow(refused(/both/));
    expect(() => decodeGrpcInferRequest(requestOf({}, []))).toThrow(refused(/neither/));
    // A message with nothing in it holds no data: MLServer sends one beside its raw contents.
    const empty = { contents: () => {} };
    const [tensor] = decodeGrpcInferRequest(requestOf(empty, [raw4])).request.inputs;
    expect(tensor!.data).toEqual(new Float32Array(1));
    expect(() => decodeGrpcInferRequest(requestOf(empty, []))).toThrow();
  });

  it('15: another number of raw contents than inputs', () => {
    expect(() => decodeGrpcInferRequest(requestOf({}, [raw4, raw4]))).toThrow(refused(/1, one for each/));
  });

  it('1, 2, 3: shapes that do not fit, dimensions below 0 or beyond 2⁵³, too many', () => {
    expect(() => decodeGrpcInferRequest(requestOf({ shape: [2] }, [raw4]))).toThrow(refused(/8 bytes/));
    for (const size of [-1, Number.MIN_SAFE_INTEGER])
      expect(() => decodeGrpcInferRequest(requestOf({ shape: [size] }, [raw4]))).toThrow(refused(/shape/));
    const huge = [2 ** 40, 2 ** 40];
    expect(() => decodeGrpcInferRequest(requestOf({ shape: huge }, [raw4]))).toThrow(refused(/Infinity/));
    const deep = Array.from({ length: 33 }, () => 1);
    expect(() => decodeGrpcInferRequest(requestOf({ shape: deep }, [raw4]))).toThrow(refused(/dimensions/));
    // 2⁶³ in ten bytes of varint.
    const wide = Buffer.from('0a016d2a130a01781204465033321a0a80808080808080808001', 'hex');
    wide[4] = wide.length - 5;
    expect(() => decodeGrpcInferRequest(wide)).toThrow(refused(/whole numbers from 0/));
  });

  it('7: types that are unknown, and 16-bit floats in typed contents', () => {
    expect(() => decodeGrpcInferRequest(requestOf({ datatype: 'FP8' }, [raw4]))).toThrow(refused(/type of/));
    const half = { datatype: 'FP16', contents: (writer: ProtoWriter) => writer.ints(2, [1]) };
    expect(() => decodeGrpcInferRequest(requestOf(half, []))).toThrow(refused(/raw form/));
  });

  it('contents in the field of another type, and numbers that the type does not hold', () => {
    const wrong = { datatype: 'INT32', contents: (writer: ProtoWriter) => writer.ints(3, [1]) };
    expect(() => decodeGrpcInferRequest(requestOf(wrong, []))).toThrow(refused(/field 2 of its contents/));
    for (const [datatype, field, value] of [
      ['INT8', 2, 128],
      ['UINT8', 4, 256],
      ['UINT32', 4, 2 ** 32],
      ['INT32', 2, -(2 ** 31) - 1],
    ] as const) {
      const given = { datatype, contents: (writer: ProtoWriter) => writer.ints(field, [value]) };
      expect(() => decodeGrpcInferRequest(requestOf(given, []))).toThrow(refused(/whole number that/));
    }
  });

  it('9: a name twice', () => {
    const twice = requestOf({}, [raw4, raw4], (writer) =>
      writer.message(5, () => {
        writer.text(1, 'x');
        writer.text(2, 'FP32');
        writer.ints(3, [1]);
      }),
    );
    expect(() => decodeGrpcInferRequest(twice)).toThrow(refused(/each name once/));
    const outputs = requestOf({}, [raw4], (writer) => {
      writer.message(6, () => writer.text(1, 'y'));
      writer.message(6, () => writer.text(1, 'y'));
    });
    expect(() => decodeGrpcInferRequest(outputs)).toThrow(refused(/each name once/));
  });

  it('14: a BYTES length beyond what is left', () => {
    const long = Buffer.from([255, 255, 255, 255, 1]);
    expect(() => decodeGrpcInferRequest(requestOf({ datatype: 'BYTES' }, [long]))).toThrow(refused(/inside/));
  });

  it('15: more tensors, parameters or text than a message may have', () => {
    const many = (field: number, count: number) =>
      requestOf({}, [raw4], (writer) => {
        for (let i = 0; i < count; i++)
          writer.message(field, () => {
            writer.text(1, `k${i}`);
            if (field === 4) writer.message(2, () => writer.bool(1, true));
          });
      });
    expect(() => decodeGrpcInferRequest(many(4, 257))).toThrow(refused(/at most 256/));
    expect(() => decodeGrpcInferRequest(many(5, 1024))).toThrow(refused(/at most 1024/));
    expect(() => decodeGrpcInferRequest(many(6, 1025))).toThrow(refused(/at most 1024/));
    const name = requestOf({ name: 'x'.repeat(1025) }, [raw4]);
    expect(() => decodeGrpcInferRequest(name)).toThrow(refused(/at most 1024 characters/));
  });

  it('text with control characters or bytes that are not UTF-8', () => {
    expect(() => decodeGrpcInferRequest(requestOf({ name: 'a\nb' }, [raw4]))).toThrow(refused(/control/));
    // Field 3, id, of one byte 0xff.
    expect(() => decodeGrpcInferRequest(Buffer.from([0x1a, 1, 0xff]))).toThrow(refused(/control/));
  });

  it('parameters that no number of ours holds', () => {
    const given = (value: Buffer) =>
      Buffer.concat([Buffer.from([0x22, 5 + value.length, 0x0a, 1, 0x6b, 0x12, value.length]), value]);
    const double = Buffer.alloc(9, 0x21);
    double.writeDoubleLE(Number.NaN, 1);
    expect(() => decodeGrpcInferRequest(given(double))).toThrow(refused(/finite/));
    const huge = Buffer.from('28ffffffffffffffffff01', 'hex');
    expect(() => decodeGrpcInferRequest(given(huge))).toThrow(refused(/finite/));
    expect(() => decodeGrpcInferRequest(given(Buffer.alloc(0)))).toThrow(refused(/a key without/));
  });

  it('a parameter called __proto__ stays a parameter', () => {
    const given = requestOf({}, [raw4], (writer) =>
      writer.message(4, () => {
        writer.text(1, '__proto__');
        writer.message(2, () => writer.text(3, 'x', true));
      }),
    );
    const { parameters } = decodeGrpcInferRequest(given).request;
    expect(Object.hasOwn(parameters!, '__proto__')).toBe(true);
    expect(Object.getPrototypeOf(parameters)).toBe(Object.prototype);
  });

  it('15: what would only keep the thread busy', () => {
    // Two bytes each: an unknown field with nothing in it.
    const fields = Buffer.alloc(2 * (2 ** 18 + 1), Buffer.from([0x7a, 0]));
    expect(() => decodeGrpcInferRequest(fields)).toThrow(refused(/at most 262144 fields/));
    // The same inside a tensor's contents.
    const inside = field(5, Buffer.concat([field(2, Buffer.from('FP32')), field(5, fields)]));
    expect(() => decodeGrpcInferRequest(inside)).toThrow(refused(/at most 262144 fields/));
    const twice = requestOf({}, [raw4], (writer) => {
      for (let i = 0; i < 2; i++)
        writer.message(4, () => {
          writer.text(1, 'k');
          writer.message(2, () => writer.bool(1, true));
        });
    });
    expect(() => decodeGrpcInferRequest(twice)).toThrow(refused(/each key once/));
    const count = 2 ** 20 + 1;
    const shape = field(3, Buffer.from([0x81, 0x80, 0x40]));
    const contents = field(5, field(2, Buffer.alloc(count, 1)));
    const ones = field(5, Buffer.concat([field(2, Buffer.from('INT8')), shape, contents]));
    expect(() => decodeGrpcInferRequest(ones)).toThrow(refused(/1048576 elements in typed/));
    const texts = requestOf({ datatype: 'BYTES', shape: [65_537] }, [Buffer.alloc(4 * 65_537)]);
    expect(() => decodeGrpcInferRequest(texts)).toThrow(refused(/at most 65536 elements of BYTES/));
  });

  it('contents given twice', () => {
    const twice = requestOf({}, [], (writer) =>
      writer.message(5, () => {
        writer.text(1, 'y');
        writer.message(5, () => writer.bool(1, true));
        writer.message(5, () => writer.bool(1, true));
      }),
    );
    expect(() => decodeGrpcInferRequest(twice)).toThrow(refused(/them once, got them twice/));
  });
});

it('unknown fields are passed over', () => {
  const given = requestOf({}, [new Uint8Array(4)], (writer) => {
    writer.text(99, 'whatever');
    writer.double(100, 1);
    writer.int(101, 7);
  });
  expect(decodeGrpcInferRequest(given).request.inputs).toHaveLength(1);
});

it('any bytes are a message or a clear refusal', () => {
  const seeds = VECTORS.map(({ bytes }) => Buffer.from(bytes, 'hex'));
  const mutated = fc
    .tuple(fc.constantFrom(...seeds), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat())
    .map(([seed, changes, cut]) => {
      const bytes = Buffer.from(seed);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return bytes.subarray(0, bytes.length - (cut % 3 === 0 ? cut % bytes.length : 0));
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), (bytes) => {
      const decoders: readonly ((bytes: Uint8Array) => unknown)[] = [
        decodeGrpcInferRequest,
        decodeGrpcModel,
        (given) => decodeGrpcInferResponse(given, 'x'),
        (given) => decodeGrpcModelMetadata(given, 'x'),
        (given) => decodeGrpcYes(given, 'x'),
      ];
      for (const decode of decoders) {
        try {
          decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(GlacisError);
          expect((error as GlacisError).code).toMatch(/^(request\/invalid|endpoint\/bad-answer)$/);
        }
      }
    }),
    { numRuns: 2000 },
  );
});
