import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { throwIfCancelled } from '../core/cancel.ts';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { mergeOptions } from '../core/options.ts';
import { elementCount } from '../onnx/tensor.ts';
import type { Oracle } from './oracle.ts';
import { slots } from './slots.ts';

/** What a user's module exports to make anything that can be asked a target. See docs/endpoints.md. */
export interface Adapter {
  /** Shape of one sample. */
  readonly sampleShape: readonly number[];
  /** Numbers that are answered for each sample. */
  readonly outputs: number;
  /** Most samples in one call; 64 unless exported. */
  readonly batch?: number;
  /** Calls under way at once; 1 unless exported. */
  readonly parallel?: number;
  /**
   * The answers to `count` samples (row-major `[count, …sampleShape]`, the adapter's to keep): a row of `outputs` numbers for each, or all
   * in one array. What it throws ends the run, so it repeats by itself what is worth repeating.
   */
  predict(samples: Float32Array, count: number, signal?: AbortSignal): Promise<AdapterAnswer> | AdapterAnswer;
}

/** What `predict` may answer. */
export type AdapterAnswer = readonly ArrayLike<number>[] | Float32Array;

/** What {@link openAdapter} may be told; goes before what the module exports. */
export interface AdapterOptions {
  readonly batch?: number | undefined;
  readonly parallel?: number | undefined;
}

/**
 * Opens the ES module at `path`, which exports an {@link Adapter}. Its code runs in this process with all its rights: open only
 * what you would run. Every answer is checked.
 *
 * Errors: `option/invalid` for a module that cannot be loaded or lacks something, `option/unknown`; of `ask` also
 * `endpoint/unavailable` (the adapter threw, its error as the cause), `endpoint/bad-answer`, `data/mismatch`, `run/cancelled`.
 */
export async function openAdapter(path: string, options: AdapterOptions = {}): Promise<Oracle> {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const adapter = await load(path);
  const { sampleShape, outputs, predict } = adapter;
  const { batch, parallel } = mergeOptions(
    path,
    { batch: adapter.batch ?? 64, parallel: adapter.parallel ?? 1 },
    given,
  );
  for (const [key, value] of Object.entries({ batch, parallel }))
    if (!isSize(value)) throw invalid(path, `${key} to be a whole number from 1`, String(value));
  const sampleDims = [...sampleShape];
  const size = elementCount(sampleDims);
  const turn = slots(parallel);
  const closing = new AbortController();

  const ask = async (samples: Float32Array, n: number, signal: AbortSignal): Promise<Float32Array> => {
    throwIfCancelled(signal, path);
    let answer: unknown;
    try {
      answer = await untilAborted(Promise.resolve(predict(samples, n, signal)), signal);
    } catch (thrown) {
      throwIfCancelled(signal, path);
      throw asGlacisError(thrown, 'endpoint/unavailable', `${path}: predict failed`);
    }
    return rowsFrom(answer, n, outputs, path);
  };

  return {
    sampleDims,
    classes: outputs,
    batch,
    parallel,
    async ask(points, n, signal) {
      if (!Number.isSafeInteger(n) || n < 0 || n > batch || points.length < n * size)
        throw new GlacisError(
          'data/mismatch',
          `${path}: expected at most ${batch} samples of [${sampleDims.join(', ')}], got ${n} in ${points.length} numbers`,
        );
      if (n === 0) return new Float32Array(0);
      const within = AbortSignal.any(signal ? [closing.signal, signal] : [closing.signal]);
      // A copy: the adapter may change or keep it.
      return turn(() => ask(points.slice(0, n * size), n, within));
    },
    async close() {
      closing.abort(new GlacisError('run/cancelled', `${path}: closed`));
    },
  };
}

async function load(path: string): Promise<Adapter> {
  let module: Partial<Readonly<Record<keyof Adapter, unknown>>>;
  try {
    module = await import(pathToFileURL(resolve(path)).href);
  } catch (thrown) {
    throw asGlacisError(thrown, 'option/invalid', `${path}: the adapter cannot be loaded`);
  }
  const { sampleShape, outputs, predict } = module;
  if (!Array.isArray(sampleShape) || !sampleShape.every(isSize))
    throw invalid(path, 'export const sampleShape to be sizes such as [1, 28, 28]', String(sampleShape));
  if (!isSize(outputs))
    throw invalid(path, 'export const outputs to be a whole number from 1', String(outputs));
  if (typeof predict !== 'function') throw invalid(path, 'export function predict', typeof predict);
  return module as Adapter;
}

function invalid(path: string, expected: string, got: string): GlacisError {
  return new GlacisError('option/invalid', `${path}: expected ${expected}, got ${got}`);
}

function isSize(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

/** `work`, or a rejection as soon as `signal` is aborted: the adapter may not look at it. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function rowsFrom(answer: unknown, n: number, outputs: number, path: string): Float32Array {
  const bad = (expected: string, got: string) =>
    new GlacisError('endpoint/bad-answer', `${path}: expected predict to answer ${expected}, got ${got}`);
  const flat = answer instanceof Float32Array;
  const length = flat || Array.isArray(answer) ? answer.length : undefined;
  if (length !== (flat ? n * outputs : n))
    throw bad(
      `${n} rows of ${outputs} numbers, or a Float32Array of ${n * outputs}`,
      length === undefined ? typeof answer : `a ${flat ? 'Float32Array' : 'list'} of ${length}`,
    );
  const values = new Float32Array(n * outputs);
  if (flat) values.set(answer);
  else
    for (const [i, row] of (answer as readonly unknown[]).entries()) {
      if (!(Array.isArray(row) || ArrayBuffer.isView(row)) || (row as ArrayLike<unknown>).length !== outputs)
        throw bad(`${outputs} numbers in row ${i}`, 'something else');
      for (let j = 0; j < outputs; j++) {
        const value = (row as ArrayLike<unknown>)[j];
        values[i * outputs + j] = typeof value === 'number' ? value : Number.NaN;
      }
    }
  const broken = values.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) throw bad('finite numbers', `something else in row ${Math.floor(broken / outputs)}`);
  return values;
}
