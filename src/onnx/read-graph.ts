import type { Attribute, FunctionDefinition, Graph, Node, ValueInfo, ValueType } from './model.ts';
import { nodeLabel, type Problems, quoted } from './problems.ts';
import { bounded, checkName, type ReadContext } from './read-context.ts';
import { readSparseTensor, readTensor } from './read-tensor.ts';
import { readValueInfo } from './read-value.ts';
import type { Tensor } from './tensor.ts';
import { WireReader } from './wire.ts';

/** Reads a `GraphProto`; `depth` counts the graphs around it. */
export function readGraph(
  r: WireReader,
  context: ReadContext,
  where: string,
  depth = 0,
  inFunction = false,
): Graph {
  bounded(context, 'depth', depth);
  bounded(context, 'nodes', 1);
  let name = '';
  const inputs: ValueInfo[] = [];
  const outputs: ValueInfo[] = [];
  const nodes: Node[] = [];
  const initializers = new Map<string, Tensor>();
  const valueTypes = new Map<string, ValueType>();
  const addInitializer = ({ name, tensor }: { readonly name: string; readonly tensor: Tensor }): void => {
    checkName(name, context, () => `${where}: initializer`);
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
        addInitializer(readTensor(r.message(), context, () => `${where}: initializer`));
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
        addInitializer(readSparseTensor(r.message(), context, () => `${where}: sparse initializer`));
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

/** Shared by all nodes without any, because an empty map is larger than the rest of a node. Never added to. */
const NO_ATTRIBUTES = new Map<string, Attribute>();

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
        checkName(value, context, () => `${graph}: value`);
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
  checkName(name, context, () => `${graph}: node`);
  const attributes = raw.length > 0 ? new Map<string, Attribute>() : NO_ATTRIBUTES;
  if (raw.length > 0 || op === '') {
    const where = () => nodeLabel(graph, index, op, name);
    if (op === '') context.problems.add(`${where()}: has no operator`);
    for (const reader of raw) {
      const read = readAttribute(reader, context, where, depth, inFunction);
      if (attributes.has(read.name))
        context.problems.add(`${where()}: attribute ${quoted(read.name)} is there twice`);
      if (read.attribute !== undefined) attributes.set(read.name, read.attribute);
    }
  }
  const node: Node = { op, domain: domain === 'ai.onnx' ? '' : domain, name, inputs, outputs, attributes };
  return overload === '' ? node : { ...node, overload };
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
  where: () => string,
  depth: number,
  inFunction: boolean,
): { readonly name: string; readonly attribute: Attribute | undefined } {
  const encoded = r.rest();
  let name = '';
  let type: number | undefined;
  let implied: number | undefined;
  let reference = '';
  const fields: WireReader[] = [];
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
        bounded(context, 'list', r.countNumbers(4));
        r.pushFloats(floats);
      } else if (field === 8) {
        bounded(context, 'list', r.countNumbers('varint'));
        r.pushInts(ints);
      } else {
        if (fields.length > 0) bounded(context, 'list', 1);
        fields.push(r.current());
      }
    }
  }
  checkName(name, context, () => `${where()}: attribute`);
  const label = () => `${where()}: attribute ${quoted(name)}`;
  const bad = (text: string): { name: string; attribute: undefined } => {
    context.problems.add(`${label()}: ${text}`);
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
  const all = (field: number): readonly WireReader[] => fields.filter((r) => r.field === field);
  const last = (field: number): WireReader | undefined => fields.findLast((r) => r.field === field);
  const graph = (reader: WireReader): Graph =>
    readGraph(reader.message(), context, label(), depth + 1, inFunction);
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
      return { name, attribute: { kind: 'opaque', value: withoutName(encoded) } };
    case undefined:
      return bad('has neither a type nor a value');
    default:
      return bad(`expected an attribute type from 1 to 14, got ${code}`);
  }
}

/** An encoded `AttributeProto` without its name, which a function may change on the way. */
function withoutName(encoded: Uint8Array): Uint8Array {
  const r = new WireReader(encoded);
  const fields: Uint8Array[] = [];
  while (r.next()) if (r.field !== 1) fields.push(r.encoded());
  return Uint8Array.from(Buffer.concat(fields));
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
    const read = readAttribute(reader, context, () => where, 0, false);
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
