import { GlacisError } from '../core/error.ts';
import { DTYPE_CODES, type DType } from './dtype.ts';
import { inlineFunctions } from './functions.ts';
import { mapModel } from './map-model.ts';
import type { Attribute, Model, Node, ValueType } from './model.ts';
import { quoted } from './problems.ts';
import { numbersOf, type Tensor } from './tensor.ts';
import { allNodes } from './walk.ts';

/** Which 16-bit types to rewrite. */
export interface Float32Options {
  /** Rewrite float16 too; ONNX Runtime runs it itself, on most CPUs by converting back and forth. Default: no. */
  readonly float16?: boolean;
}

/** An input or output whose type was rewritten: what a caller of the original model would have given or got. */
export interface InterfaceNote {
  readonly name: string;
  readonly role: 'input' | 'output';
  readonly was: DType;
}

/** A model in float32, and what that changed at its interface. */
export interface Float32Model {
  readonly model: Model;
  readonly notes: readonly InterfaceNote[];
}

/** Attributes that hold an element type's code, by standard operator. */
const TYPE_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  Attention: ['softmax_precision'],
  Bernoulli: ['dtype'],
  BlackmanWindow: ['output_datatype'],
  Cast: ['to'],
  DequantizeLinear: ['output_dtype'],
  EyeLike: ['dtype'],
  GroupNormalization: ['stash_type'],
  HammingWindow: ['output_datatype'],
  HannWindow: ['output_datatype'],
  LayerNormalization: ['stash_type'],
  MelWeightMatrix: ['output_datatype'],
  RMSNormalization: ['stash_type'],
  RandomNormal: ['dtype'],
  RandomNormalLike: ['dtype'],
  RandomUniform: ['dtype'],
  RandomUniformLike: ['dtype'],
  SequenceEmpty: ['dtype'],
};

/**
 * The model with bfloat16 (and on request float16) values computed in float32 instead: initializers, constants, casts,
 * generated values, inputs and outputs. Its answers are at least as precise as before, not bit for bit the same: 16-bit
 * rounding and float16 overflow at 65,504 are gone. Functions are inlined when there is anything to rewrite. A model
 * without such values passes unchanged.
 *
 * Sequences and optionals of such values keep their stated type, which the runtime then refuses.
 *
 * Errors: `model/unsupported-operator` for `BitCast`, which looks at the bits of a type; `model/external-data` while a
 * tensor that needs converting is outside; those of {@link inlineFunctions}.
 */
export function toFloat32(model: Model, options: Float32Options = {}): Float32Model {
  const narrow = new Set<DType>(options.float16 === true ? ['bfloat16', 'float16'] : ['bfloat16']);
  if (!mentions(model, narrow)) return { model, notes: [] };
  const plain = inlineFunctions(model);
  for (const node of allNodes(plain.graph.nodes)) {
    if (node.op === 'BitCast' && node.domain === '') {
      throw new GlacisError(
        'model/unsupported-operator',
        `BitCast ${quoted(node.name)}: cannot be rewritten to float32, because it reads the bits of a value`,
      );
    }
  }
  const notes: InterfaceNote[] = [];
  for (const [role, values] of [
    ['input', plain.graph.inputs],
    ['output', plain.graph.outputs],
  ] as const) {
    for (const { name, type } of values)
      if (type.kind === 'tensor' && narrow.has(type.dtype)) notes.push({ name, role, was: type.dtype });
  }
  const widened = new Map<Tensor, Tensor>();
  const codes = new Set<number>([...narrow].map((dtype) => DTYPE_CODES[dtype]));
  const rewritten = mapModel(plain, {
    tensor: (tensor) => {
      if (!narrow.has(tensor.dtype)) return tensor;
      let wide = widened.get(tensor);
      if (wide === undefined) {
        wide = widen(tensor);
        widened.set(tensor, wide);
      }
      return wide;
    },
    type: (type) => (type.kind === 'tensor' && narrow.has(type.dtype) ? { ...type, dtype: 'float32' } : type),
    node: (node) => withFloat32Codes(node, codes),
  });
  return { model: rewritten, notes };
}

function widen(tensor: Tensor): Tensor {
  if (tensor.external !== undefined) {
    throw new GlacisError(
      'model/external-data',
      `tensor in ${quoted(tensor.external.location)}: load the model's external data before rewriting it to float32`,
    );
  }
  const values = numbersOf(tensor) as Float32Array;
  return {
    dtype: 'float32',
    dims: tensor.dims,
    data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  };
}

function typeAttributes(node: Node): readonly (readonly [string, number])[] {
  if (node.domain !== '' || !Object.hasOwn(TYPE_ATTRIBUTES, node.op)) return [];
  return TYPE_ATTRIBUTES[node.op]!.flatMap((name) => {
    const attribute = node.attributes.get(name);
    return attribute?.kind === 'int' ? [[name, attribute.value] as const] : [];
  });
}

function withFloat32Codes(node: Node, codes: ReadonlySet<number>): Node {
  let attributes: Map<string, Attribute> | undefined;
  for (const [name, code] of typeAttributes(node)) {
    if (!codes.has(code)) continue;
    attributes ??= new Map(node.attributes);
    attributes.set(name, { kind: 'int', value: DTYPE_CODES.float32 });
  }
  return attributes === undefined ? node : { ...node, attributes };
}

/** Whether anything in the model, functions included, is of one of these types. */
function mentions(model: Model, narrow: ReadonlySet<DType>): boolean {
  let found = false;
  const codes = new Set<number>([...narrow].map((dtype) => DTYPE_CODES[dtype]));
  const look = (type: ValueType): ValueType => {
    found ||= type.kind === 'tensor' && narrow.has(type.dtype);
    return type;
  };
  mapModel(model, {
    tensor: (tensor) => {
      found ||= narrow.has(tensor.dtype);
      return tensor;
    },
    type: look,
    node: (node) => {
      found ||= typeAttributes(node).some(([, code]) => codes.has(code));
      // A function may take the type's code from its caller, under any name.
      found ||=
        model.functions.length > 0 &&
        [...node.attributes.values()].some((a) => a.kind === 'int' && codes.has(a.value));
      return node;
    },
  });
  for (const f of model.functions) {
    for (const a of f.attributeDefaults.values()) found ||= a.kind === 'int' && codes.has(a.value);
  }
  return found;
}
