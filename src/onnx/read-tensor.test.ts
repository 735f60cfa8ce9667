import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DTYPE_CODES, type DType } from './dtype.ts';
import { graph, model, refusal } from './model.fixture.ts';
import {
  ModelProtoSchema,
  SparseTensorProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from './proto/onnx_pb.js';
import { parseModel } from './read.ts';
import { numbersOf, type Tensor, toFloat16Bits } from './tensor.ts';
import { WireWriter } from './wire.ts';
import { serializeModel } from './write.ts';

type Fields = Parameters<typeof create<typeof TensorProtoSchema>>[1];
const proto = (fields: Fields): TensorProto => create(TensorProtoSchema, fields);

/** A model file of the protobuf library with these initializers. */
function file(
  dense: readonly TensorProto[],
  sparse: Parameters<typeof create<typeof SparseTensorProtoSchema>>[1][] = [],
): Uint8Array {
  const m = fromBinary(ModelProtoSchema, serializeModel(model(graph({}))));
  m.graph!.initializer = [...dense];
  m.graph!.sparseInitializer = sparse.map((s) => create(SparseTensorProtoSchema, s));
  return toBinary(ModelProtoSchema, m);
}

function readOne(fields: Fields): Tensor {
  return parseModel(file([proto({ name: 'w', ...fields })])).graph.initializers.get('w')!;
}

const bytes = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

describe('a tensor whose elements stand in a typed list', () => {
  const int32s = [-1, 0, 5, 200, -70_000];
  const cases: readonly [DType, Fields, Uint8Array][] = [
    ['float32', { floatData: [1.5, -0, 3e38] }, bytes(Float32Array.of(1.5, -0, 3e38))],
    ['float64', { doubleData: [1.5, 1e300] }, bytes(Float64Array.of(1.5, 1e300))],
    ['complex64', { floatData: [1, 2, 3, 4] }, bytes(Float32Array.of(1, 2, 3, 4))],
    ['complex128', { doubleData: [1, 2] }, bytes(Float64Array.of(1, 2))],
    [
      'int64',
      { int64Data: [-1n, 2n ** 62n, -(2n ** 63n)] },
      bytes(BigInt64Array.of(-1n, 2n ** 62n, -(2n ** 63n))),
    ],
    ['uint64', { uint64Data: [2n ** 64n - 1n, 3n] }, bytes(BigUint64Array.of(2n ** 64n - 1n, 3n))],
    ['uint32', { uint64Data: [2n ** 32n - 1n, 3n] }, bytes(Uint32Array.of(2 ** 32 - 1, 3))],
    ['int32', { int32Data: int32s }, bytes(Int32Array.from(int32s))],
    ['int16', { int32Data: [-5, 32767] }, bytes(Int16Array.of(-5, 32767))],
    ['uint16', { int32Data: [65535, 1] }, bytes(Uint16Array.of(65535, 1))],
    ['int8', { int32Data: [-128, 127] }, bytes(Int8Array.of(-128, 127))],
    ['uint8', { int32Data: [255, 0] }, Uint8Array.of(255, 0)],
    ['bool', { int32Data: [1, 0, 1] }, Uint8Array.of(1, 0, 1)],
    [
      'float16',
      { int32Data: [toFloat16Bits(1.5), toFloat16Bits(-2)] },
      bytes(Uint16Array.of(0x3e00, 0xc000)),
    ],
    ['bfloat16', { int32Data: [0x3fc0] }, bytes(Uint16Array.of(0x3fc0))],
    ['float8e5m2', { int32Data: [0x7f, 0x01] }, Uint8Array.of(0x7f, 0x01)],
  ];

  it.each(cases)('reads %s', (dtype, fields, data) => {
    const count = data.length / (bytesPerElement[dtype] ?? 1);
    expect(readOne({ ...fields, dims: [BigInt(count)], dataType: DTYPE_CODES[dtype] })).toEqual({
      dtype,
      dims: [count],
      data,
    });
  });

  const bytesPerElement: Partial<Record<DType, number>> = {
    float32: 4,
    float64: 8,
    complex64: 8,
    complex128: 16,
    int64: 8,
    uint64: 8,
    uint32: 4,
    int32: 4,
    int16: 2,
    uint16: 2,
    float16: 2,
    bfloat16: 2,
  };

  it('reads four-bit elements, two in one number', () => {
    const tensor = readOne({ int32Data: [0x21, 0x03], dims: [3n], dataType: DTYPE_CODES.uint4 });
    expect(tensor.data).toEqual(Uint8Array.of(0x21, 0x03));
  });

  it('reads lists that the writer did not pack, or split', () => {
    const floats = new WireWriter();
    floats.int(1, 4);
    floats.int(2, 1);
    floats.text(8, 'f');
    for (const x of [1, 2]) floats.float(4, x);
    floats.bytes(4, bytes(Float32Array.of(3, 4)));
    const ints = new WireWriter();
    ints.int(1, 3);
    ints.int(2, 7);
    ints.text(8, 'i');
    for (const x of [-1, 2 ** 40]) ints.int(7, x);
    ints.bytes(7, Uint8Array.of(0x05));
    const m = parseModel(
      (() => {
        const w = new WireWriter();
        w.int(1, 8);
        w.message(8, (o) => o.int(2, 17));
        w.message(7, (g) => {
          for (const t of [floats, ints]) g.bytes(5, Uint8Array.from(Buffer.concat(t.chunks())));
        });
        return Uint8Array.from(Buffer.concat(w.chunks()));
      })(),
    );
    expect([...numbersOf(m.graph.initializers.get('f')!)]).toEqual([1, 2, 3, 4]);
    expect([...numbersOf(m.graph.initializers.get('i')!)]).toEqual([-1, 2 ** 40, 5]);
  });

  it('gives the integers that the protobuf library wrote', () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { minLength: 1, maxLength: 20 }),
        (values) => {
          const tensor = readOne({
            int64Data: values,
            dims: [BigInt(values.length)],
            dataType: DTYPE_CODES.int64,
          });
          expect(tensor.data).toEqual(bytes(BigInt64Array.from(values)));
        },
      ),
    );
  });
});

describe('a sparse initializer', () => {
  const sparse = (values: number[], indices: bigint[], indexDims: bigint[], dims: bigint[]) => ({
    values: proto({ name: 's', dims: [BigInt(values.length)], dataType: 1, floatData: values }),
    indices: proto({ dims: indexDims, dataType: 7, int64Data: indices }),
    dims,
  });
  const read = (s: ReturnType<typeof sparse>) => parseModel(file([], [s])).graph.initializers.get('s')!;

  it('becomes dense, from linear and from coordinate indices', () => {
    expect([...numbersOf(read(sparse([7, 9], [1n, 5n], [2n], [2n, 3n])))]).toEqual([0, 7, 0, 0, 0, 9]);
    const tensor = read(sparse([7, 9], [0n, 1n, 1n, 2n], [2n, 2n], [2n, 3n]));
    expect([tensor.dims, [...numbersOf(tensor)]]).toEqual([
      [2, 3],
      [0, 7, 0, 0, 0, 9],
    ]);
    expect([...numbersOf(read(sparse([], [], [0n], [3n])))]).toEqual([0, 0, 0]);
  });

  it('is refused when its indices leave it, repeat or have another shape', async () => {
    const cases: readonly [string, ReturnType<typeof sparse>][] = [
      ['a wrong one at position 1', sparse([7, 9], [1n, 6n], [2n], [2n, 3n])],
      ['a wrong one at position 0', sparse([7], [-1n], [1n], [3n])],
      ['a wrong one at position 1', sparse([7, 9], [1n, 1n], [2n], [3n])],
      ['a wrong one at position 0', sparse([7], [0n, 3n], [1n, 2n], [2n, 3n])],
      ['expected int64 indices of shape [1] or [1, 2], got int64[2]', sparse([7], [0n, 1n], [2n], [2n, 3n])],
      ['once dense', sparse([7], [0n], [1n], [2n ** 30n])],
      ['2^53', sparse([7], [0n], [1n], [2n ** 40n, 2n ** 40n])],
      ['has no dimensions', sparse([7], [0n], [1n], [])],
    ];
    for (const [expected, s] of cases) {
      const { code, message } = await refusal(() => read(s));
      expect([code, message]).toEqual(['model/invalid', expect.stringContaining(expected)]);
    }
  });

  it('does not add up beyond the limit', async () => {
    const one = sparse([7], [0n], [1n], [1000n]);
    const two = { ...one, values: proto({ name: 't', dims: [1n], dataType: 1, floatData: [1] }) };
    expect(() => parseModel(file([], [one, two]), { limits: { denseBytes: 8000 } })).not.toThrow();
    expect(
      (await refusal(() => parseModel(file([], [one, two]), { limits: { denseBytes: 7999 } }))).message,
    ).toContain('at most 7999 bytes');
  });
});
