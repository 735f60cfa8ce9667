import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyText, modelWith, plainText } from './arbitrary-model.fixture.ts';
import { definition, graph, model, node, reluModel, value } from './model.fixture.ts';
import type { Attribute, Model } from './model.ts';
import {
  AttributeProtoSchema,
  ModelProtoSchema,
  TensorProtoSchema,
  TypeProtoSchema,
} from './proto/onnx_pb.js';
import { parseModel } from './read.ts';
import { float32Tensor } from './tensor.ts';
import { serializeModel } from './write.ts';

/** The same model once protobuf's own library has read and written it: an independent opinion on the format. */
function throughLibrary(bytes: Uint8Array): Uint8Array {
  return toBinary(ModelProtoSchema, fromBinary(ModelProtoSchema, bytes));
}

describe('writing and reading a model', () => {
  it('gives the same model back', () => {
    fc.assert(
      fc.property(modelWith(anyText), (m) => {
        expect(parseModel(serializeModel(m))).toEqual(m);
      }),
      { numRuns: 300 },
    );
  });

  it('writes what the protobuf library reads, and reads what it writes', () => {
    // The library replaces text that is not UTF-8, so all text here is.
    fc.assert(
      fc.property(modelWith(plainText), (m) => {
        expect(parseModel(throughLibrary(serializeModel(m)))).toEqual(m);
      }),
      { numRuns: 300 },
    );
  });

  it('is stable: writing again gives the same bytes', () => {
    fc.assert(
      fc.property(modelWith(anyText), (m) => {
        const bytes = serializeModel(m);
        expect(Buffer.compare(serializeModel(parseModel(bytes)), bytes)).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  it('keeps functions with their defaults and references', () => {
    const attribute: Attribute = { kind: 'reference', value: 'alpha', type: 1 };
    const m: Model = model(
      graph({
        inputs: [value('x')],
        outputs: [value('y')],
        nodes: [node('F', ['x'], ['y'], {}, { domain: 'local', overload: 'o' })],
      }),
      {
        opsets: new Map([
          ['', 17],
          ['local', 1],
        ]),
        functions: [
          definition({
            name: 'F',
            overload: 'o',
            inputs: ['a'],
            outputs: ['b'],
            attributes: ['beta'],
            attributeDefaults: new Map([['alpha', { kind: 'float', value: 0.5 }]]),
            nodes: [node('LeakyRelu', ['a'], ['b'], { alpha: attribute })],
          }),
        ],
      },
    );
    expect(parseModel(serializeModel(m))).toEqual(m);
    expect(parseModel(throughLibrary(serializeModel(m)))).toEqual(m);
  });

  it('keeps sparse-tensor and type attributes byte for byte', () => {
    const proto = fromBinary(ModelProtoSchema, serializeModel(reluModel()));
    const tp = create(TypeProtoSchema, { value: { case: 'tensorType', value: { elemType: 7 } } });
    proto.graph!.node[0]!.attribute.push(create(AttributeProtoSchema, { name: 'type', type: 13, tp }));
    const bytes = toBinary(ModelProtoSchema, proto);
    const read = parseModel(bytes);
    expect(read.graph.nodes[0]!.attributes.get('type')?.kind).toBe('opaque');
    const again = fromBinary(ModelProtoSchema, serializeModel(read)).graph!.node[0]!.attribute[0]!;
    expect([again.name, again.type, again.tp?.value.case]).toEqual(['type', 13, 'tensorType']);
  });

  it('keeps types that are no tensors', () => {
    const proto = fromBinary(ModelProtoSchema, serializeModel(reluModel()));
    const elemType = create(TypeProtoSchema, { value: { case: 'tensorType', value: { elemType: 1 } } });
    proto.graph!.input[0]!.type = create(TypeProtoSchema, {
      value: { case: 'sequenceType', value: { elemType } },
    });
    const read = parseModel(toBinary(ModelProtoSchema, proto));
    expect(read.graph.inputs[0]!.type).toMatchObject({ kind: 'other', description: 'sequence' });
    const again = fromBinary(ModelProtoSchema, serializeModel(read));
    expect(again.graph!.input[0]!.type).toEqual(proto.graph!.input[0]!.type);
  });

  it('holds initializers as views on the file, in raw and in packed float form', () => {
    const weights = float32Tensor(
      [100],
      Float32Array.from({ length: 100 }, (_, i) => i / 7),
    );
    const m = model(graph({ outputs: [value('w', [100])], initializers: { w: weights } }));
    const raw = serializeModel(m);
    expect(parseModel(raw).graph.initializers.get('w')!.data.buffer).toBe(raw.buffer);
    const proto = fromBinary(ModelProtoSchema, raw);
    const listed = create(TensorProtoSchema, {
      name: 'w',
      dims: [100n],
      dataType: 1,
      floatData: Array.from({ length: 100 }, (_, i) => i / 7),
    });
    proto.graph!.initializer = [listed];
    const bytes = toBinary(ModelProtoSchema, proto);
    const tensor = parseModel(bytes).graph.initializers.get('w')!;
    expect(tensor.data.buffer).toBe(bytes.buffer);
    expect(tensor).toEqual(weights);
  });
});
