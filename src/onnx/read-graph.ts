import { type DType, dtypeFromCode } from './dtype.ts';
import type { Attribute, Dim, FunctionDefinition, Graph, Node, ValueInfo, ValueType } from './model.ts';
import { type Problems, quoted } from './problems.ts';
import { bounded, type ReadContext } from './read-context.ts';
import { problemWithDims, readSparseTensor, readTensor } from './read-tensor.ts';
import type { Tensor } from './tensor.ts';
import type { WireReader } from './wire.ts';

/** Reads a `GraphProto`; `depth` counts the graphs around it. */
export function readGraph(
  r: WireReader,
  context: ReadContext,
  where: string,
  depth = 0,
  inFunction = false,
): Graph {
  bounded(context, 'depth', depth);
  let name = '';
  const inputs: ValueInfo[] = [];
  const outputs: ValueInfo[] = [];
  const nodes: Node[] = [];
  const initializers = new Map<string, Tensor>();
  const valueTypes = new Map<string, ValueType>();
  const addInitializer = ({ name, tensor }: { readonly name: string; readonly tensor: Tensor }): void => {
    checkName(name, context, `${where}: initializer`);
    if (name === '') context.problems.add(`${where}: an initializer has no name`);
    if (initializers.has(name)) context.problems.add(`${where}: initializer ${quoted(name)} is there twice`);
    initializers.set(name, tensor);
  };
  while (r.next()) {
    switch (r.field) {
      case 1:
        nodes.push(readNode(r.message(), context, where, nodes.length, depth, inFunction));
        break;
      case 2:
        name = r.text();
        break;
      case 5:
        addInitializer(readTensor(r.message(), context, `${where}: initializer`));
        break;
      case 11:
        inputs.push(readValueInfo(r.message(), context, `${where}: input`));
        break;
      case 12:
        outputs.push(readValueInfo(r.message(), context, `${where}: output`));
        break;
      case 13: {
        const info = readValueInfo(r.message(), context, `${where}: value`);
        valueTypes.set(info.name, info.type);
        break;
      }
      case 15:
        addInitializer(readSparseTensor(r.message(), context, `${where}: sparse initializer`));
        break;
    }
  }
  return {
    name,
    inputs: inputs.filter((i) => !initializers.has(i.name)),
    outputs,
    initializers,
    nodes,
    valueTypes,
  };
}

function checkName(name: string, context: ReadContext, where: string): void {
  // Cheap first: UTF-8 takes at most three bytes for one UTF-16 unit.
  if (name.length * 3 <= context.limits.nameBytes) return;
  const bytes = Buffer.byteLength(name);
  if (bytes > context.limits.nameBytes) {
    context.problems.add(
      `${where} ${quoted(name)}: expected a name of at most ${context.limits.nameBytes} bytes, got ${bytes}`,
    );
  }
}

function readNode(
  r: WireReader,
  context: ReadContext,
  graph: string,
  index: number,
  depth: number,
  inFunction: boolean,
): Node {
  bounded(context, 'nodes', 1);
  let op = '';
  let domain = '';
  let name = '';
  let overload = '';
  const inputs: string[] = [];
  const outputs: string[] = [];
  const raw: WireReader[] = [];
  while (r.next()) {
    switch (r.field) {
      case 1:
      case 2: {
        bounded(context, 'values', 1);
        const value = r.text();
        checkName(value, context, `${graph}: value`);
        (r.field === 1 ? inputs : outputs).push(value);
        break;
      }
      case 3:
        name = r.text();
        break;
      case 4:
        op = r.text();
        break;
      case 5:
        bounded(context, 'attributes', 1);
        raw.push(r.message());
        break;
      case 7:
        domain = r.text();
        break;
      case 8:
        overload = r.text();
        break;
    }
  }
  checkName(name, context, `${graph}: node`);
  const attributes = new Map<string, Attribute>();
  if (raw.length > 0 || op === '') {
    const where = nodeLabel(graph, index, op, name);
    if (op === '') context.problems.add(`${where}: has no operator`);
    for (const reader of raw) {
      const read = readAttribute(reader, context, where, depth, inFunction);
      if (attributes.has(read.name))
        context.problems.add(`${where}: attribute ${quoted(read.name)} is there twice`);
      if (read.attribute !== undefined) attributes.set(read.name, read.attribute);
    }
  }
  const node: Node = { op, domain: domain === 'ai.onnx' ? '' : domain, name, inputs, outputs, attributes };
  return overload === '' ? node : { ...node, overload };
}

/** How messages name a node: `graph: node 12 (Conv "conv1")`. */
export function nodeLabel(graph: string, index: number, op: string, name: string): string {
  return `${graph}: node ${index} (${op.slice(0, 60).toWellFormed()}${name === '' ? '' : ` ${quoted(name)}`})`;
}

/** `AttributeProto.AttributeType`, by code. */
export const ATTRIBUTE_TYPES = [
  'undefined',
  'float',
  'int',
  'string',
  'tensor',
  'graph',
  'floats',
  'ints',
  'strings',
  'tensors',
  'graphs',
  'sparse tensor',
  'sparse tensors',
  'type',
  'types',
] as const;

/** The type that a field of `AttributeProto` belongs to, for files that leave the type out. */
const FIELD_TYPES: Readonly<Record<number, number>> = {
  2: 1,
  3: 2,
  4: 3,
  5: 4,
  6: 5,
  7: 6,
  8: 7,
  9: 8,
  10: 9,
  11: 10,
  14: 13,
  15: 14,
  22: 11,
  23: 12,
};

/** Reads an `AttributeProto`; an attribute with a problem is `undefined`. */
function readAttribute(
  r: WireReader,
  context: ReadContext,
  where: string,
  depth: number,
  inFunction: boolean,
): { readonly name: string; readonly attribute: Attribute | undefined } {
  const encoded = r.rest();
  let name = '';
  let type: number | undefined;
  let implied: number | undefined;
  let reference = '';
  const fields = new Map<number, WireReader[]>();
  const floats: number[] = [];
  const ints: number[] = [];
  while (r.next()) {
    const { field } = r;
    if (field === 1) name = r.text();
    else if (field === 20) type = r.int();
    else if (field === 21) reference = r.text();
    else if (FIELD_TYPES[field] !== undefined) {
      implied ??= FIELD_TYPES[field];
      if (field === 7) {
        bounded(context, 'list', floats.length + r.countNumbers(4));
        r.pushFloats(floats);
      } else if (field === 8) {
        bounded(context, 'list', ints.length + r.countNumbers('varint'));
        r.pushInts(ints);
      } else {
        const list = fields.get(field) ?? [];
        fields.set(field, list);
        bounded(context, 'list', list.length + 1);
        list.push(r.current());
      }
    }
  }
  checkName(name, context, `${where}: attribute`);
  const label = `${where}: attribute ${quoted(name)}`;
  const bad = (text: string): { name: string; attribute: undefined } => {
    context.problems.add(`${label}: ${text}`);
    return { name, attribute: undefined };
  };
  if (name === '') return bad('has no name');
  const code = type === undefined || type === 0 ? implied : type;
  if (reference !== '') {
    if (!inFunction)
      return bad(`refers to an attribute ${quoted(reference)} of a function, but stands in no function`);
    return {
      name,
      attribute:
        code === undefined
          ? { kind: 'reference', value: reference }
          : { kind: 'reference', value: reference, type: code },
    };
  }
  const all = (field: number): readonly WireReader[] => fields.get(field) ?? [];
  const last = (field: number): WireReader | undefined => fields.get(field)?.at(-1);
  const graph = (reader: WireReader): Graph =>
    readGraph(reader.message(), context, label, depth + 1, inFunction);
  const tensor = (reader: WireReader): Tensor => readTensor(reader.message(), context, label).tensor;
  const missing = () => bad(`is of type ${ATTRIBUTE_TYPES[code ?? 0]} but holds no value of it`);
  switch (code) {
    case 1:
      return { name, attribute: { kind: 'float', value: last(2)?.float() ?? 0 } };
    case 2:
      return { name, attribute: { kind: 'int', value: last(3)?.int() ?? 0 } };
    case 3:
      return { name, attribute: { kind: 'string', value: last(4)?.text() ?? '' } };
    case 4: {
      const value = last(5);
      return value === undefined ? missing() : { name, attribute: { kind: 'tensor', value: tensor(value) } };
    }
    case 5: {
      const value = last(6);
      return value === undefined ? missing() : { name, attribute: { kind: 'graph', value: graph(value) } };
    }
    case 6:
      return { name, attribute: { kind: 'floats', value: floats } };
    case 7:
      return { name, attribute: { kind: 'ints', value: ints } };
    case 8:
      return { name, attribute: { kind: 'strings', value: all(9).map((x) => x.text()) } };
    case 9:
      return { name, attribute: { kind: 'tensors', value: all(10).map(tensor) } };
    case 10:
      return { name, attribute: { kind: 'graphs', value: all(11).map(graph) } };
    case 11:
    case 12:
    case 13:
    case 14:
      return { name, attribute: { kind: 'opaque', value: encoded } };
    case undefined:
      return bad('has neither a type nor a value');
    default:
      return bad(`expected an attribute type from 1 to 14, got ${code}`);
  }
}

function readValueInfo(r: WireReader, context: ReadContext, where: string): ValueInfo {
  bounded(context, 'values', 1);
  let name = '';
  let type: ValueType | undefined;
  let typeReader: WireReader | undefined;
  while (r.next()) {
    if (r.field === 1) name = r.text();
    else if (r.field === 2) typeReader = r.message();
  }
  checkName(name, context, where);
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

/** Reads a `FunctionProto`. */
export function readFunction(
  r: WireReader,
  context: ReadContext,
  readOpset: (r: WireReader, into: Map<string, number>, problems: Problems) => void,
): FunctionDefinition {
  let name = '';
  let domain = '';
  let overload = '';
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: string[] = [];
  const defaults: WireReader[] = [];
  const rawNodes: WireReader[] = [];
  const opsets = new Map<string, number>();
  while (r.next()) {
    switch (r.field) {
      case 1:
        name = r.text();
        break;
      case 4:
      case 5:
      case 6:
        bounded(context, 'values', 1);
        (r.field === 4 ? inputs : r.field === 5 ? outputs : attributes).push(r.text());
        break;
      case 7:
        rawNodes.push(r.message());
        bounded(context, 'values', 1);
        break;
      case 9:
        bounded(context, 'values', 1);
        readOpset(r.message(), opsets, context.problems);
        break;
      case 10:
        domain = r.text();
        break;
      case 11:
        bounded(context, 'attributes', 1);
        defaults.push(r.message());
        break;
      case 13:
        overload = r.text();
        break;
    }
  }
  const where = `function ${quoted(domain === '' ? name : `${domain}.${name}`)}`;
  const attributeDefaults = new Map<string, Attribute>();
  for (const reader of defaults) {
    const read = readAttribute(reader, context, where, 0, false);
    if (read.attribute !== undefined) attributeDefaults.set(read.name, read.attribute);
  }
  const nodes = rawNodes.map((reader, i) => readNode(reader, context, where, i, 0, true));
  return {
    domain: domain === 'ai.onnx' ? '' : domain,
    name,
    overload,
    inputs,
    outputs,
    attributes,
    attributeDefaults,
    nodes,
    opsets,
  };
}
