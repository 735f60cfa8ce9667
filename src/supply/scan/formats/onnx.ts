import type { ByteSource } from '../../../data/byte-source.ts';
import { elementCount } from '../../../onnx/tensor.ts';
import { WireReader } from '../../../onnx/wire.ts';
import type { Probe, ScanContext, Scanner } from '../scanner.ts';
import { checkExternalData, type ExternalClaim } from './onnx-external.ts';
import { ONNX_RULES } from './onnx-rules.ts';
import { type ProtoField, type ProtoStream, protoStream, readingMessages } from './proto-stream.ts';

/** Domains whose operators belong to ONNX and ONNX Runtime. */
const DOMAINS =
  /^(?:|ai\.onnx|ai\.onnx\.ml|ai\.onnx\.training|ai\.onnx\.preview|ai\.onnx\.preview\.training|com\.microsoft(?:\.(?:nchwc|mlfeaturizers|dml|experimental))?|com\.ms\.internal\.nhwc|org\.pytorch\.(?:_c|aten|prims|ops)?|pkg\.(?:torch|onnxscript)\.?[\w.]*|local|this)$/;

/** Bits of an element by `TensorProto.DataType`; texts (8) have none. */
const BITS: Readonly<Record<number, number>> = {
  1: 32,
  2: 8,
  3: 8,
  4: 16,
  5: 16,
  6: 32,
  7: 64,
  9: 8,
  10: 16,
  11: 64,
  12: 32,
  13: 64,
  14: 64,
  15: 128,
  16: 16,
  17: 8,
  18: 8,
  19: 8,
  20: 8,
  21: 4,
  22: 4,
  23: 4,
  24: 8,
  25: 2,
  26: 2,
};

/**
 * ONNX, read as a stream: files of 2 GiB take no memory. Looks at every graph, at any depth, and at functions: which operators
 * there are, and where tensors come from. Field numbers as in onnx.proto.
 */
export const onnxScanner: Scanner = {
  id: 'onnx',
  title: 'ONNX',
  rules: Object.values(ONNX_RULES),
  recognises: looksLikeOnnx,
  async scan(source, context) {
    const stream = protoStream(source, context.where, context.budget);
    const walk: Walk = {
      stream,
      source,
      context,
      functions: new Set(),
      operators: new Map(),
      locations: new Map(),
    };
    try {
      await readingMessages(context.where, () => walkModel(walk));
    } finally {
      // What was seen before damage is reported all the same.
      reportOperators(walk);
      await checkExternalData(walk.locations, context);
    }
  },
};

/** A model begins with its IR version and goes on with text or a graph; fields may come in any order, so the name helps. */
function looksLikeOnnx({ name, head }: Probe): boolean {
  if (/\.onnx$/i.test(name)) return true;
  if (head[0] !== 0x08 || head[1]! > 0x20) return false;
  if (head[2] === 0x3a || head[2] === 0x42 || head[2] === 0x72) return true;
  // Producer's name, and then something else of the model; a SavedModel has a message in that place.
  const length = head[3] ?? 255;
  const text = head.subarray(4, 4 + length);
  return (
    head[2] === 0x12 &&
    length < 128 &&
    text.length === length &&
    text.every((byte) => byte >= 0x20 && byte < 0x7f)
  );
}

interface Walk {
  readonly stream: ProtoStream;
  readonly source: ByteSource;
  readonly context: ScanContext;
  /** `domain:name` of the functions that the model brings with it. */
  readonly functions: Set<string>;
  /** Operators by `domain:name`, with how often. */
  readonly operators: Map<string, { readonly domain: string; readonly op: string; count: number }>;
  /** External files, with the ranges that tensors claim in them. */
  readonly locations: Map<string, ExternalClaim[]>;
}

async function walkModel(walk: Walk): Promise<void> {
  for await (const field of walk.stream.fields(0, walk.source.size)) {
    if (field.wire !== 2) continue;
    if (field.field === 7) await walkGraph(walk, field);
    else if (field.field === 25) await walkFunction(walk, field);
    else if (field.field === 20) await walkTraining(walk, field);
  }
}

async function walkGraph(walk: Walk, graph: ProtoField): Promise<void> {
  const { stream } = walk;
  for await (const field of stream.fields(graph.start, graph.end)) {
    if (field.wire !== 2) continue;
    if (field.field === 1) await walkNodeField(walk, field);
    else if (field.field === 5) await walkTensorField(walk, field);
    else if (field.field === 15)
      for await (const part of stream.fields(field.start, field.end))
        if (part.wire === 2 && part.field <= 2) await walkTensorField(walk, part);
  }
}

async function walkFunction(walk: Walk, field: ProtoField): Promise<void> {
  let [name, domain] = ['', ''];
  for await (const part of walk.stream.fields(field.start, field.end)) {
    if (part.wire !== 2) continue;
    if (part.field === 1) name = Buffer.from(await walk.stream.bytes(part)).toString();
    else if (part.field === 10) domain = Buffer.from(await walk.stream.bytes(part)).toString();
    else if (part.field === 7) await walkNodeField(walk, part);
  }
  walk.functions.add(`${domain}:${name}`);
}

/** Training information holds two graphs. */
async function walkTraining(walk: Walk, field: ProtoField): Promise<void> {
  for await (const part of walk.stream.fields(field.start, field.end))
    if (part.wire === 2 && part.field <= 2) await walkGraph(walk, part);
}

/** A node that is larger than what is read at once holds large tensors: its fields are walked one by one. */
async function walkNodeField(walk: Walk, field: ProtoField): Promise<void> {
  const SMALL = 1 << 22;
  if (field.end - field.start <= SMALL) {
    walkInner(walk, await walk.stream.message(field), 'node');
    return;
  }
  const facts = { domain: '', op: '' };
  for await (const part of walk.stream.fields(field.start, field.end)) {
    if (part.wire !== 2) continue;
    if (part.field === 4) facts.op = Buffer.from(await walk.stream.bytes(part)).toString();
    else if (part.field === 7) facts.domain = Buffer.from(await walk.stream.bytes(part)).toString();
    else if (part.field === 5) await walkAttributeField(walk, part);
  }
  countOperator(walk, facts.domain, facts.op);
}

async function walkAttributeField(walk: Walk, field: ProtoField): Promise<void> {
  for await (const part of walk.stream.fields(field.start, field.end)) {
    if (part.wire !== 2) continue;
    if (part.field === 6 || part.field === 11) await walkGraph(walk, part);
    else if (part.field === 5 || part.field === 10) await walkTensorField(walk, part);
  }
}

type Kind = 'graph' | 'node' | 'attribute' | 'tensor' | 'sparse';

/** Which fields of a message hold which messages. */
const INNER: Readonly<Record<Exclude<Kind, 'tensor'>, Readonly<Record<number, Kind>>>> = {
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  sparse: { 1: 'tensor', 2: 'tensor' },
};

/** Walks a message that is in memory, with a list of its own: the nesting is attacker-controlled. */
function walkInner(walk: Walk, root: WireReader, kind: Kind): void {
  const open: { readonly reader: WireReader; readonly kind: Kind }[] = [{ reader: root, kind }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { reader, kind } = next;
    if (kind === 'tensor') {
      judgeTensor(walk, reader);
      continue;
    }
    const facts = { domain: '', op: '' };
    while (reader.next()) {
      walk.context.budget.step();
      const inner = INNER[kind][reader.field];
      if (inner !== undefined) open.push({ reader: reader.message(), kind: inner });
      else if (kind === 'node' && reader.field === 4) facts.op = reader.text();
      else if (kind === 'node' && reader.field === 7) facts.domain = reader.text();
    }
    if (kind === 'node') countOperator(walk, facts.domain, facts.op);
  }
}

function countOperator({ operators }: Walk, domain: string, op: string): void {
  const key = `${domain}:${op}`;
  const entry = operators.get(key);
  if (entry !== undefined) entry.count++;
  else if (operators.size < 10_000) operators.set(key, { domain, op, count: 1 });
}

/** The weights of a large tensor are passed over; what else it says is small. */
async function walkTensorField(walk: Walk, field: ProtoField): Promise<void> {
  const parts: Uint8Array[] = [];
  let data = 0;
  let typed = false;
  for await (const part of walk.stream.fields(field.start, field.end)) {
    if (part.field === 9) data += part.end - part.start;
    else if (part.field >= 4 && part.field <= 11 && part.field !== 8) typed = true;
    else if (part.wire === 2) parts.push(tagged(part.field, await walk.stream.bytes(part)));
    else if (part.wire === 0 && (part.field <= 2 || part.field === 14))
      parts.push(number(part.field, part.value));
  }
  judgeTensor(walk, new WireReader(Buffer.concat(parts)), { data, typed });
}

function tagged(field: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([varint(8 * field + 2), varint(bytes.length), bytes]);
}
const number = (field: number, value: number) =>
  Buffer.concat([varint(8 * field), varint(Math.min(value, 2 ** 50))]);
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Uint8Array.from([...bytes, rest]);
}

function judgeTensor(
  walk: Walk,
  reader: WireReader,
  outside?: { readonly data: number; readonly typed: boolean },
): void {
  const dims: number[] = [];
  const entries = new Map<string, string>();
  let name = '';
  let type = 0;
  let raw = outside?.data ?? 0;
  let typed = outside?.typed ?? false;
  let external = false;
  while (reader.next()) {
    walk.context.budget.step();
    const { field } = reader;
    if (field === 1 && dims.length < 4096) reader.pushInts(dims);
    else if (field === 2) type = reader.int();
    else if (field === 8) name = reader.text().slice(0, 200);
    else if (field === 9) raw += reader.bytes().length;
    else if (field === 13) readEntry(reader.message(), entries);
    else if (field === 14) external = reader.int() === 1;
    else if (field >= 4 && field <= 11) typed = true;
  }
  if (external || entries.size > 0) {
    const location = entries.get('location') ?? '';
    const claims = walk.locations.get(location) ?? [];
    if (claims.length < 1_000_000)
      claims.push({ name, offset: entries.get('offset') ?? '', length: entries.get('length') ?? '' });
    walk.locations.set(location, claims);
    return;
  }
  const bits = BITS[type];
  const elements = elementCount(dims);
  if (dims.some((n) => n < 0)) walk.context.report(ONNX_RULES.size, `${name}: dims ${dims.slice(0, 20)}`);
  else if (!typed && bits !== undefined && raw !== Math.ceil((elements * bits) / 8))
    walk.context.report(
      ONNX_RULES.size,
      `${name}: [${dims.slice(0, 20)}] of ${bits} bits each, and ${raw} bytes`,
    );
}

function readEntry(reader: WireReader, into: Map<string, string>): void {
  let [key, value] = ['', ''];
  while (reader.next()) {
    if (reader.field === 1) key = reader.text();
    else if (reader.field === 2) value = reader.text();
  }
  if (into.size < 100) into.set(key, value);
}

function reportOperators({ operators, functions, context }: Walk): void {
  const domains = new Map<string, string[]>();
  for (const { domain, op, count } of operators.values()) {
    if (/^(?:PyOp|PyCustomOp|PythonOp|PythonOpGrad|EPContext|TorchEmbedding_Python)$/.test(op))
      context.report(ONNX_RULES.python, `${domain}.${op}, ${count} times`);
    else if (!DOMAINS.test(domain) && !functions.has(`${domain}:${op}`))
      domains.set(domain, [...(domains.get(domain) ?? []), op]);
  }
  for (const [domain, ops] of domains)
    context.report(
      ONNX_RULES.domain,
      `${domain}: ${ops.slice(0, 12).join(', ')}${ops.length > 12 ? ' …' : ''}`,
    );
}
