import { type DType, dtypeFromCode } from './dtype.ts';
import type { Dim, ValueInfo, ValueType } from './model.ts';
import { quoted } from './problems.ts';
import { bounded, checkName, type ReadContext } from './read-context.ts';
import { problemWithDims } from './read-tensor.ts';
import type { WireReader } from './wire.ts';

/** Reads a `ValueInfoProto`; `where` is what messages call its place. A wrong type is a problem noted in `context`. */
export function readValueInfo(r: WireReader, context: ReadContext, where: string): ValueInfo {
  bounded(context, 'values', 1);
  let name = '';
  let type: ValueType | undefined;
  let typeReader: WireReader | undefined;
  while (r.next()) {
    if (r.field === 1) name = r.text();
    else if (r.field === 2) typeReader = r.message();
  }
  checkName(name, context, () => where);
  if (typeReader !== undefined) type = readType(typeReader, context, `${where} ${quoted(name)}`);
  return { name, type: type ?? { kind: 'other', description: 'unknown', proto: undefined } };
}

const OTHER_TYPES: Readonly<Record<number, string>> = {
  4: 'sequence',
  5: 'map',
  7: 'opaque',
  8: 'sparse tensor',
  9: 'optional',
};

function readType(r: WireReader, context: ReadContext, where: string): ValueType {
  const proto = r.rest();
  let type: ValueType = { kind: 'other', description: 'unknown', proto };
  while (r.next()) {
    if (r.field === 1) type = readTensorType(r.message(), context, where) ?? type;
    else if (OTHER_TYPES[r.field] !== undefined)
      type = { kind: 'other', description: OTHER_TYPES[r.field]!, proto };
  }
  return type;
}

function readTensorType(r: WireReader, context: ReadContext, where: string): ValueType | undefined {
  let code = 0;
  let dims: Dim[] | undefined;
  while (r.next()) {
    if (r.field === 1) code = r.int();
    else if (r.field === 2) {
      dims = [];
      const shape = r.message();
      while (shape.next())
        if (shape.field === 1 && dims.length <= context.limits.rank) dims.push(readDim(shape.message()));
    }
  }
  const dtype: DType | undefined = dtypeFromCode(code);
  if (dtype === undefined) {
    if (code !== 0) context.problems.add(`${where}: expected an element type from 1 to 26, got ${code}`);
    return undefined;
  }
  const wrong =
    dims &&
    problemWithDims(
      dims.filter((d) => typeof d === 'number'),
      context.limits.rank,
    );
  if (wrong !== undefined || (dims !== undefined && dims.length > context.limits.rank)) {
    context.problems.add(
      `${where}: ${wrong ?? `expected at most ${context.limits.rank} dimensions, got more`}`,
    );
    return undefined;
  }
  return { kind: 'tensor', dtype, dims };
}

function readDim(r: WireReader): Dim {
  let dim: Dim = null;
  while (r.next()) {
    if (r.field === 1) {
      // Some exporters write -1 for "any size".
      const value = r.int();
      dim = value === -1 ? null : value;
    } else if (r.field === 2) dim = r.text() || null;
  }
  return dim;
}
