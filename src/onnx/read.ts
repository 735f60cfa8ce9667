import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { throwIfCancelled } from '../core/cancel.ts';
import { GlacisError } from '../core/error.ts';
import { sortAndCheck } from './check.ts';
import { loadExternal } from './external-data.ts';
import { describeForeign } from './foreign-format.ts';
import { type Limits, limitsWith } from './limits.ts';
import type { FunctionDefinition, Graph, Model } from './model.ts';
import { Problems } from './problems.ts';
import { bounded, type ReadContext } from './read-context.ts';
import { readFunction, readGraph } from './read-graph.ts';
import { readEntry } from './read-tensor.ts';
import { WireError, WireReader } from './wire.ts';

/** How to read a model. */
export interface ReadOptions {
  /** Changes to {@link import('./limits.ts').DEFAULT_LIMITS}. */
  readonly limits?: Partial<Limits>;
}

/** How to read a model from a file. */
export interface ReadFileOptions extends ReadOptions {
  /** `load` (default) reads external tensors at once; `keep` leaves them outside, which is enough to inspect a model. */
  readonly external?: 'load' | 'keep';
  readonly signal?: AbortSignal;
}

/** Where a model came from. */
export interface FileInfo {
  /** Absolute. */
  readonly path: string;
  /** Folder that its external data may lie in; absolute. */
  readonly directory: string;
  /** `sha256:` and 64 hexadecimal digits, of exactly the bytes that were parsed. */
  readonly digest: string;
  readonly byteLength: number;
}

/** A model together with the file it was read from. */
export interface ModelFile extends Model {
  readonly file: FileInfo;
}

/**
 * Parses the bytes of an ONNX file and checks what it finds: sizes, types, names, order, opset. Tensor bytes are views on
 * `bytes`, which must not change afterwards. Initializers that the file repeats among the graph's inputs are removed
 * there, so they count as constants even where IR 4 and later would let a caller override them. Nodes out of order are
 * sorted. External tensors stay outside (see {@link loadExternal}). Documentation strings, training information,
 * quantization annotations and device hints are not kept.
 *
 * Errors: `model/unreadable` when the bytes are not an ONNX model (says what they seem to be), `model/invalid` with up to
 * ten problems at once, `model/too-large` beyond a limit.
 */
export function parseModel(bytes: Uint8Array, options: ReadOptions = {}): Model {
  const limits = limitsWith(options.limits);
  if (bytes.length > limits.fileBytes) throw tooLarge(bytes.length, limits.fileBytes);
  const context: ReadContext = {
    limits,
    problems: new Problems(),
    used: { nodes: 0, tensors: 0, attributes: 0, values: 0, list: 0 },
    denseBytes: 0,
  };
  let model: Model;
  try {
    model = readModelProto(new WireReader(bytes), context);
  } catch (thrown) {
    if (!(thrown instanceof WireError)) throw thrown;
    throw unreadable(bytes, thrown.message, thrown);
  }
  const sorted = sortAndCheck(model, context.problems);
  context.problems.throwIfAny('model');
  return sorted;
}

function unreadable(bytes: Uint8Array, reason: string, cause?: unknown): GlacisError {
  const message = `model: expected an ONNX file, got ${describeForeign(bytes) ?? `${bytes.length} bytes that are damaged or no ONNX model (${reason})`}`;
  return new GlacisError('model/unreadable', message, { cause });
}

function tooLarge(got: number, limit: number): GlacisError {
  return new GlacisError(
    'model/too-large',
    `model: expected a file of at most ${limit} bytes, got ${got}; save the model with its weights as external data`,
  );
}

function readModelProto(r: WireReader, context: ReadContext): Model {
  let irVersion: number | undefined;
  let producer = '';
  let graph: Graph | undefined;
  const opsets = new Map<string, number>();
  const functions: FunctionDefinition[] = [];
  const metadata = new Map<string, string>();
  while (r.next()) {
    switch (r.field) {
      case 1:
        irVersion = r.int();
        break;
      case 2:
        producer = r.text();
        break;
      case 7:
        if (graph !== undefined) throw new WireError('the file holds two graphs');
        graph = readGraph(r.message(), context, 'graph');
        break;
      case 8:
        bounded(context, 'values', 1);
        readOpset(r.message(), opsets, context.problems);
        break;
      case 14: {
        bounded(context, 'values', 1);
        const [key, value] = readEntry(r.message());
        metadata.set(key, value);
        break;
      }
      case 25:
        bounded(context, 'nodes', 1);
        functions.push(readFunction(r.message(), context, readOpset));
        break;
    }
  }
  if (graph === undefined || irVersion === undefined) {
    throw new WireError(graph === undefined ? 'it holds no graph' : 'it holds no IR version');
  }
  return { irVersion, opsets, graph, functions, producer, metadata };
}

function readOpset(r: WireReader, into: Map<string, number>, problems: Problems): void {
  let domain = '';
  let version = 0;
  while (r.next()) {
    if (r.field === 1) domain = r.text();
    else if (r.field === 2) version = r.int();
  }
  const key = domain === 'ai.onnx' ? '' : domain;
  const known = into.get(key);
  if (known !== undefined && known !== version) {
    problems.add(`opset imports: ${key || 'ai.onnx'} is imported as ${known} and as ${version}`);
  }
  into.set(key, version);
}

const CHUNK = 64 * 2 ** 20;

/**
 * Reads an ONNX file. The digest is of the very bytes that were parsed. Errors: those of {@link parseModel} and
 * {@link loadExternal}, and `model/unreadable` when the file cannot be opened or is no regular file.
 */
export async function readModel(path: string, options: ReadFileOptions = {}): Promise<ModelFile> {
  const limits = limitsWith(options.limits);
  const absolute = resolve(path);
  const { bytes, digest } = await readWhole(absolute, limits.fileBytes, options.signal);
  const file: FileInfo = { path: absolute, directory: dirname(absolute), digest, byteLength: bytes.length };
  let model = parseModel(bytes, options);
  if (options.external !== 'keep') {
    model = await loadExternal(model, file.directory, {
      limits,
      ...(options.signal ? { signal: options.signal } : {}),
    });
  }
  return { ...model, file };
}

async function readWhole(
  path: string,
  limit: number,
  signal?: AbortSignal,
): Promise<{ bytes: Uint8Array; digest: string }> {
  const handle = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === 'ENOENT' ? 'there is no such file' : cause.message;
    throw new GlacisError('model/unreadable', `${path}: expected an ONNX file: ${reason}`, { cause });
  });
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) {
      throw new GlacisError(
        'model/unreadable',
        `${path}: expected an ONNX file, got a ${stat.isDirectory() ? 'folder' : 'device or pipe'}`,
      );
    }
    if (stat.size > limit) throw tooLarge(stat.size, limit);
    const bytes = new Uint8Array(stat.size);
    const hash = createHash('sha256');
    let at = 0;
    while (at < bytes.length) {
      throwIfCancelled(signal, path);
      const { bytesRead } = await handle.read(bytes, at, Math.min(CHUNK, bytes.length - at), at);
      if (bytesRead === 0)
        throw new GlacisError(
          'model/unreadable',
          `${path}: expected ${bytes.length} bytes, got ${at}; the file shrank while it was read`,
        );
      hash.update(bytes.subarray(at, at + bytesRead));
      at += bytesRead;
    }
    return { bytes, digest: `sha256:${hash.digest('hex')}` };
  } catch (thrown) {
    if (thrown instanceof GlacisError) throw thrown;
    throw new GlacisError('model/unreadable', `${path}: could not be read: ${(thrown as Error).message}`, {
      cause: thrown,
    });
  } finally {
    await handle.close();
  }
}
