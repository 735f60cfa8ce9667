import type { FileHandle } from 'node:fs/promises';
import { throwIfCancelled } from '../core/cancel.ts';
import { GlacisError } from '../core/error.ts';
import { openBelow, type Refuse } from '../core/open-below.ts';
import { byteLength } from './dtype.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { mapTensors } from './map-model.ts';
import type { Model } from './model.ts';
import { quoted } from './problems.ts';
import { type ExternalData, elementCount, type Tensor } from './tensor.ts';

/** How to load external tensors. */
export interface LoadOptions {
  readonly limits?: Limits;
  readonly signal?: AbortSignal;
}

/** A range of a file, and the tensors in it. */
interface Range {
  start: number;
  end: number;
}

const CHUNK = 64 * 2 ** 20;

/** Every distinct external tensor of a model, in subgraphs and functions too. */
export function externalTensors(model: Model): readonly (Tensor & { readonly external: ExternalData })[] {
  const found = new Set<Tensor & { readonly external: ExternalData }>();
  mapTensors(model, (tensor) => {
    if (tensor.external !== undefined) found.add(tensor as Tensor & { readonly external: ExternalData });
    return tensor;
  });
  return [...found];
}

/**
 * Reads all external tensors of a model from `directory` (the folder of its file). Each byte of a file is held once:
 * tensors that share bytes share a buffer. Files may be larger than 2 GiB.
 *
 * Errors: `model/external-data` when a location leads out of the folder or is no plain file (see {@link openBelow}), or
 * when a tensor's range does not fit; `model/too-large` beyond `limits.externalBytes`.
 */
export async function loadExternal(
  model: Model,
  directory: string,
  options: LoadOptions = {},
): Promise<Model> {
  const byLocation = Map.groupBy(externalTensors(model), (tensor) => tensor.external.location);
  if (byLocation.size === 0) return model;
  const limit = (options.limits ?? DEFAULT_LIMITS).externalBytes;
  const loaded = new Map<Tensor, Tensor>();
  let total = 0;
  for (const [location, tensors] of byLocation) {
    const handle = await openBelow(directory, location, refusal(location));
    try {
      const size = (await handle.stat()).size;
      const wanted = tensors
        .map((tensor) => ({ tensor, ...rangeOf(tensor, size) }))
        .sort((a, b) => a.start - b.start || a.end - b.end);
      const buffers = merged(wanted);
      total += buffers.reduce((sum, range) => sum + range.end - range.start, 0);
      if (total > limit)
        throw new GlacisError(
          'model/too-large',
          `external data: expected at most ${limit} bytes, got ${total}`,
        );
      let next = 0;
      for (const range of buffers) {
        const bytes = await readRange(handle, range, location, options.signal);
        for (
          ;
          next < wanted.length && wanted[next]!.end <= range.end && wanted[next]!.start >= range.start;
          next++
        ) {
          const { tensor, start, end } = wanted[next]!;
          const data = bytes.subarray(start - range.start, end - range.start);
          loaded.set(tensor, { dtype: tensor.dtype, dims: tensor.dims, data });
        }
      }
    } finally {
      await handle.close();
    }
  }
  return mapTensors(model, (tensor) => loaded.get(tensor) ?? tensor);
}

/**
 * Takes all external tensors of a model from files in memory, as views of them: `bytesAt` gives a location's file, or `undefined` where that may not be used.
 * Errors: `model/external-data`.
 */
export function loadExternalFrom(model: Model, bytesAt: (location: string) => Uint8Array | undefined): Model {
  return mapTensors(model, (tensor) => {
    if (tensor.external === undefined) return tensor;
    const { location } = tensor.external;
    const bytes = bytesAt(location);
    if (bytes === undefined)
      throw new GlacisError(
        'model/external-data',
        `external data ${quoted(location)}: expected a file of the model that was read with it, got none; give the folder that holds both`,
      );
    const { start, end } = rangeOf({ ...tensor, external: tensor.external }, bytes.length);
    return { dtype: tensor.dtype, dims: tensor.dims, data: bytes.subarray(start, end) };
  });
}

/** The error for a location that may not be used. */
function refusal(location: string): Refuse {
  return (reason, cause) =>
    new GlacisError(
      'model/external-data',
      `external data ${quoted(location)}: expected a plain file in the model's folder, but ${reason}`,
      { cause },
    );
}

/** Reads one external tensor; a tensor that is already loaded passes unchanged. Errors: as {@link loadExternal}. */
export async function loadTensor(tensor: Tensor, directory: string, signal?: AbortSignal): Promise<Tensor> {
  if (tensor.external === undefined) return tensor;
  const { location } = tensor.external;
  const handle = await openBelow(directory, location, refusal(location));
  try {
    const range = rangeOf(tensor as Tensor & { readonly external: ExternalData }, (await handle.stat()).size);
    return { dtype: tensor.dtype, dims: tensor.dims, data: await readRange(handle, range, location, signal) };
  } finally {
    await handle.close();
  }
}

function rangeOf(tensor: Tensor & { readonly external: ExternalData }, size: number): Range {
  const { dtype, dims, external } = tensor;
  const expected = byteLength(dtype, elementCount(dims));
  const where = `external data ${quoted(external.location)}`;
  if (external.length !== undefined && external.length !== expected) {
    throw new GlacisError(
      'model/external-data',
      `${where}: expected ${expected} bytes for ${dtype}[${dims.join(', ')}], got length ${external.length}`,
    );
  }
  const end = external.offset + expected;
  if (end > size) {
    throw new GlacisError(
      'model/external-data',
      `${where}: expected bytes ${external.offset} to ${end}, got a file of ${size} bytes`,
    );
  }
  return { start: external.offset, end };
}

/** Joins sorted ranges that overlap, so that no byte is read twice however many tensors name it. */
function merged(sorted: readonly Range[]): readonly Range[] {
  const ranges: Range[] = [];
  for (const { start, end } of sorted) {
    const last = ranges.at(-1);
    if (last !== undefined && (start < last.end || (start === last.start && end === last.end)))
      last.end = Math.max(last.end, end);
    else ranges.push({ start, end });
  }
  return ranges;
}

async function readRange(
  handle: FileHandle,
  range: Range,
  location: string,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const where = `external data ${quoted(location)}`;
  const bytes = new Uint8Array(range.end - range.start);
  let at = 0;
  while (at < bytes.length) {
    throwIfCancelled(signal, where);
    const { bytesRead } = await handle.read(bytes, at, Math.min(CHUNK, bytes.length - at), range.start + at);
    if (bytesRead === 0)
      throw new GlacisError('model/external-data', `${where}: the file shrank while it was read`);
    at += bytesRead;
  }
  return bytes;
}
