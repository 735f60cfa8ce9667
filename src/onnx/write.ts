import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { throwIfCancelled } from '../core/cancel.ts';
import { GlacisError } from '../core/error.ts';
import { DTYPE_CODES } from './dtype.ts';
import { externalTensors } from './external-data.ts';
import { mapTensors } from './map-model.ts';
import type {
  Attribute,
  Dim,
  FunctionDefinition,
  Graph,
  Model,
  Node,
  ValueInfo,
  ValueType,
} from './model.ts';
import { quoted } from './problems.ts';
import type { Tensor } from './tensor.ts';
import { encodeText } from './text.ts';
import { WireWriter } from './wire.ts';

/** Protobuf allows no longer message. */
const LARGEST = 2 ** 31 - 1;

/**
 * The bytes of an ONNX file. External tensors that were never loaded are written as the references they were. Errors:
 * `model/too-large` from 2 GiB on (use {@link writeModel} with external data).
 */
export function serializeModel(model: Model): Uint8Array {
  const chunks = modelChunks(model);
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function modelChunks(model: Model): readonly Uint8Array[] {
  const w = new WireWriter();
  w.int(1, model.irVersion);
  w.text(2, model.producer);
  w.message(7, (inner) => writeGraph(inner, model.graph));
  for (const [domain, version] of model.opsets) writeOpset(w, 8, domain, version);
  for (const [key, value] of model.metadata) writeEntry(w, 14, key, value);
  for (const f of model.functions) w.message(25, (inner) => writeFunction(inner, f));
  if (w.length > LARGEST) {
    throw new GlacisError(
      'model/too-large',
      `model: expected at most ${LARGEST} bytes in one file, got ${w.length}; write it with external data`,
    );
  }
  return w.chunks();
}

function writeOpset(w: WireWriter, field: number, domain: string, version: number): void {
  w.message(field, (inner) => {
    inner.text(1, domain, true);
    inner.int(2, version);
  });
}

function writeEntry(w: WireWriter, field: number, key: string, value: string): void {
  w.message(field, (inner) => {
    inner.text(1, key, true);
    inner.text(2, value, true);
  });
}

function writeGraph(w: WireWriter, graph: Graph): void {
  for (const node of graph.nodes) w.message(1, (inner) => writeNode(inner, node));
  w.text(2, graph.name, true);
  for (const [name, tensor] of graph.initializers) w.message(5, (inner) => writeTensor(inner, tensor, name));
  for (const value of graph.inputs) w.message(11, (inner) => writeValueInfo(inner, value));
  for (const value of graph.outputs) w.message(12, (inner) => writeValueInfo(inner, value));
  for (const [name, type] of graph.valueTypes)
    w.message(13, (inner) => writeValueInfo(inner, { name, type }));
}

function writeFunction(w: WireWriter, f: FunctionDefinition): void {
  w.text(1, f.name);
  for (const name of f.inputs) w.text(4, name, true);
  for (const name of f.outputs) w.text(5, name, true);
  for (const name of f.attributes) w.text(6, name, true);
  for (const node of f.nodes) w.message(7, (inner) => writeNode(inner, node));
  for (const [domain, version] of f.opsets) writeOpset(w, 9, domain, version);
  w.text(10, f.domain);
  for (const [name, attribute] of f.attributeDefaults)
    w.message(11, (inner) => writeAttribute(inner, name, attribute));
  w.text(13, f.overload);
}

function writeNode(w: WireWriter, node: Node): void {
  for (const name of node.inputs) w.text(1, name, true);
  for (const name of node.outputs) w.text(2, name, true);
  w.text(3, node.name);
  w.text(4, node.op);
  for (const [name, attribute] of node.attributes)
    w.message(5, (inner) => writeAttribute(inner, name, attribute));
  w.text(7, node.domain);
  w.text(8, node.overload ?? '');
}

function writeAttribute(w: WireWriter, name: string, attribute: Attribute): void {
  if (attribute.kind === 'opaque') {
    if (!(attribute.value instanceof Uint8Array)) {
      throw new GlacisError(
        'model/invalid',
        `attribute ${quoted(name)}: expected the encoded bytes of an opaque attribute`,
      );
    }
    w.text(1, name);
    w.raw(attribute.value);
    return;
  }
  w.text(1, name);
  const type = (code: number) => w.int(20, code);
  switch (attribute.kind) {
    case 'float':
      w.float(2, attribute.value);
      type(1);
      return;
    case 'int':
      w.int(3, attribute.value);
      type(2);
      return;
    case 'string':
      w.text(4, attribute.value, true);
      type(3);
      return;
    case 'tensor':
      w.message(5, (inner) => writeTensor(inner, attribute.value, ''));
      type(4);
      return;
    case 'graph':
      w.message(6, (inner) => writeGraph(inner, attribute.value));
      type(5);
      return;
    case 'floats':
      w.floats(7, attribute.value);
      type(6);
      return;
    case 'ints':
      w.ints(8, attribute.value);
      type(7);
      return;
    case 'strings':
      for (const text of attribute.value) w.text(9, text, true);
      type(8);
      return;
    case 'tensors':
      for (const tensor of attribute.value) w.message(10, (inner) => writeTensor(inner, tensor, ''));
      type(9);
      return;
    case 'graphs':
      for (const graph of attribute.value) w.message(11, (inner) => writeGraph(inner, graph));
      type(10);
      return;
    case 'reference':
      w.text(21, attribute.value);
      if (attribute.type !== undefined) type(attribute.type);
  }
}

function writeTensor(w: WireWriter, tensor: Tensor, name: string): void {
  w.ints(1, tensor.dims);
  w.int(2, DTYPE_CODES[tensor.dtype]);
  if (tensor.strings !== undefined) for (const text of tensor.strings) w.bytes(6, encodeText(text));
  w.text(8, name);
  const { external } = tensor;
  if (external !== undefined) {
    writeEntry(w, 13, 'location', external.location);
    writeEntry(w, 13, 'offset', String(external.offset));
    if (external.length !== undefined) writeEntry(w, 13, 'length', String(external.length));
    w.int(14, 1);
  } else if (tensor.dtype !== 'string') w.bytes(9, tensor.data);
}

function writeValueInfo(w: WireWriter, value: ValueInfo): void {
  w.text(1, value.name);
  const { type } = value;
  if (type.kind === 'tensor' || type.proto instanceof Uint8Array)
    w.message(2, (inner) => writeType(inner, type));
}

function writeType(w: WireWriter, type: ValueType): void {
  if (type.kind === 'other') {
    w.raw(type.proto as Uint8Array);
    return;
  }
  w.message(1, (tensor) => {
    tensor.int(1, DTYPE_CODES[type.dtype]);
    if (type.dims !== undefined) {
      const { dims } = type;
      tensor.message(2, (shape) => {
        for (const dim of dims) shape.message(1, (inner) => writeDim(inner, dim));
      });
    }
  });
}

function writeDim(w: WireWriter, dim: Dim): void {
  if (typeof dim === 'number') w.int(1, dim);
  else if (dim !== null) w.text(2, dim);
}

/** How to write a model. */
export interface WriteOptions {
  /**
   * Tensors from this many bytes on go into a second file, `NAME.onnx.data`, beside the model. By default they do only
   * when the model would not fit into one file (2 GiB).
   */
  readonly externalData?: number;
  readonly signal?: AbortSignal;
}

/** Tensors in an external file start at multiples of this, so that a runtime can map them. */
const PAGE = 4096;

/**
 * Writes an ONNX file, with its external data beside it. Each file appears whole or not at all (written under another name
 * and renamed). All tensors must be loaded. Errors: `output/unwritable`, `model/external-data` for a tensor that is still
 * outside, `model/too-large`, `option/invalid`.
 */
export async function writeModel(path: string, model: Model, options: WriteOptions = {}): Promise<void> {
  const outside = externalTensors(model)[0];
  if (outside !== undefined) {
    throw new GlacisError(
      'model/external-data',
      `${path}: a tensor is still in ${quoted(outside.external.location)}; load the model's external data before writing it elsewhere`,
    );
  }
  const threshold = options.externalData;
  if (threshold !== undefined && !(Number.isSafeInteger(threshold) && threshold > 0)) {
    throw new GlacisError(
      'option/invalid',
      `externalData: expected a number of bytes from 1, got ${String(threshold)}`,
    );
  }
  const target = resolve(path);
  if (threshold === undefined && fitsOneFile(model)) {
    await replaceFile(target, modelChunks(model), options.signal);
    return;
  }
  const location = `${basename(target)}.data`;
  const { model: outer, chunks } = moveOutside(model, location, threshold ?? 1024);
  if (chunks.length > 0) await replaceFile(join(dirname(target), location), chunks, options.signal);
  await replaceFile(target, modelChunks(outer), options.signal);
}

/** Whether a model can be written as one file, and by {@link serializeModel}: not from about 2 GiB of tensors on. */
export function fitsOneFile(model: Model): boolean {
  return totalBytes(model) < LARGEST - 2 ** 24;
}

function totalBytes(model: Model): number {
  let total = 0;
  mapTensors(model, (tensor) => {
    total += tensor.data.length;
    return tensor;
  });
  return total;
}

function moveOutside(
  model: Model,
  location: string,
  threshold: number,
): { model: Model; chunks: readonly Uint8Array[] } {
  const chunks: Uint8Array[] = [];
  const moved = new Map<Tensor, Tensor>();
  let at = 0;
  const initializers = new Map(
    [...model.graph.initializers].map(([name, tensor]) => {
      if (tensor.dtype === 'string' || tensor.data.length < threshold) return [name, tensor] as const;
      let outer = moved.get(tensor);
      if (outer === undefined) {
        const padding = (PAGE - (at % PAGE)) % PAGE;
        if (padding > 0) chunks.push(new Uint8Array(padding));
        chunks.push(tensor.data);
        const offset = at + padding;
        at = offset + tensor.data.length;
        outer = {
          dtype: tensor.dtype,
          dims: tensor.dims,
          data: new Uint8Array(0),
          external: { location, offset, length: tensor.data.length },
        };
        moved.set(tensor, outer);
      }
      return [name, outer] as const;
    }),
  );
  return { model: { ...model, graph: { ...model.graph, initializers } }, chunks };
}

const PIECE = 64 * 2 ** 20;

async function replaceFile(path: string, chunks: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
  const temporary = `${path}.${process.pid}-${++written}.partial`;
  let handle: FileHandle | undefined;
  try {
    await mkdir(dirname(path), { recursive: true });
    handle = await open(temporary, 'wx');
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; ) {
        throwIfCancelled(signal, path);
        at += (await handle.write(chunk, at, Math.min(PIECE, chunk.length - at))).bytesWritten;
      }
    }
    await handle.sync();
    await handle.close();
    handle = undefined;
    await rename(temporary, path);
  } catch (thrown) {
    await handle?.close().catch(() => {});
    await rm(temporary, { force: true }).catch(() => {});
    if (thrown instanceof GlacisError) throw thrown;
    throw new GlacisError(
      'output/unwritable',
      `${path}: could not be written: ${(thrown as Error).message}`,
      { cause: thrown },
    );
  }
}

let written = 0;
