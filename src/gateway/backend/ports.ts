import { GlacisError } from '../../core/error.ts';
import type { Datatype } from '../../oip/datatype.ts';
import type { DType } from '../../onnx/dtype.ts';
import type { Dim, Model, ValueInfo } from '../../onnx/model.ts';

/** An input or output of a model as the protocol names it. */
export interface Port {
  readonly name: string;
  readonly datatype: Datatype;
  /** −1 where any size will do. */
  readonly shape: readonly number[];
  /** Whether the runtime has it as float32 and callers as bfloat16. */
  readonly widened: boolean;
}

/**
 * What the first axis is. `rows` `any`: it counts samples, as many as a caller likes; a number: it counts samples, always so many in one run; `undefined`:
 * nothing counts samples, and a request is one run.
 */
export interface Ports {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly rows: 'any' | number | undefined;
}

const DATATYPES: Partial<Readonly<Record<DType, Datatype>>> = {
  bool: 'BOOL',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  float16: 'FP16',
  bfloat16: 'BF16',
  float32: 'FP32',
  float64: 'FP64',
  string: 'BYTES',
};

/**
 * The interface that a model's file states. Outputs that are no tensors (maps and sequences of classical models) are left out where others remain.
 * Errors: `model/unsupported-task` for an input, or all outputs, of a type that the protocol does not have.
 */
export function portsOf({ graph }: Model): Ports {
  const inputs = graph.inputs.map((info) => portFrom(info) ?? refuse('input', info));
  const outputs = graph.outputs.flatMap((info) => portFrom(info) ?? []);
  if (outputs.length === 0) {
    const [info] = graph.outputs;
    throw info
      ? refuse('output', info)
      : new GlacisError('model/unsupported-task', 'model: expected an output, found none');
  }
  const kept = new Set(outputs.map(({ name }) => name));
  const rows = rowsFrom(
    graph.inputs.map(dimsOf),
    graph.outputs.filter(({ name }) => kept.has(name)).map(dimsOf),
  );
  return { inputs, outputs, rows };
}

function portFrom({ name, type }: ValueInfo): Port | undefined {
  if (type.kind !== 'tensor') return undefined;
  const datatype = DATATYPES[type.dtype];
  if (datatype === undefined) return undefined;
  const shape = (type.dims ?? [null]).map((dim) => (typeof dim === 'number' ? dim : -1));
  return { name, datatype, shape, widened: false };
}

function dimsOf({ type }: ValueInfo): readonly Dim[] | undefined {
  return type.kind === 'tensor' ? type.dims : undefined;
}

/** Whether the first axis counts samples, as far as the file says; whether it is so is found by running it. */
function rowsFrom(
  inputs: readonly (readonly Dim[] | undefined)[],
  outputs: readonly (readonly Dim[] | undefined)[],
): Ports['rows'] {
  if (inputs.length === 0 || inputs.some((dims) => dims === undefined || dims.length === 0)) return undefined;
  if (outputs.some((dims) => dims?.length === 0)) return undefined;
  const firsts = new Set(inputs.map((dims) => dims![0]!));
  const after = outputs.flatMap((dims) => (dims === undefined ? [] : [dims[0]!]));
  const [first] = firsts;
  if (typeof first === 'number')
    return firsts.size === 1 && after.every((dim) => dim === first || typeof dim !== 'number')
      ? first
      : undefined;
  const names = new Set([...firsts].filter((dim) => dim !== null));
  const open = names.size <= 1 && [...names].every((dim) => typeof dim === 'string');
  return open && after.every((dim) => typeof dim !== 'number') ? 'any' : undefined;
}

function refuse(role: 'input' | 'output', { name, type }: ValueInfo): never {
  const got = type.kind === 'tensor' ? type.dtype : type.description;
  throw new GlacisError(
    'model/unsupported-task',
    `${role} ${name}: expected a tensor of a type that the protocol has, got ${got}`,
  );
}
