import { throwIfCancelled } from '../../core/cancel.ts';
import { GlacisError } from '../../core/error.ts';
import type { Rng } from '../../core/random.ts';
import type { Model } from '../../onnx/model.ts';
import { elementCount } from '../../onnx/tensor.ts';
import type { Oracle } from '../../runtime/oracle.ts';
import { type Answered, type CopyOptions, copyGradient, trainCopy } from './copy.ts';
import type { PlannedExtraction } from './registry.ts';

/** How a model is copied by asking. */
export interface ExtractOptions {
  readonly oracle: Oracle;
  /** Whether the oracle gives logits or probabilities. */
  readonly gives: 'logits' | 'probabilities';
  readonly bounds: readonly [number, number];
  readonly budget: number;
  readonly pool: Float32Array;
  readonly rng: Rng;
  readonly copy: Omit<CopyOptions, 'signal' | 'sampleDims' | 'classes'>;
  readonly signal?: AbortSignal | undefined;
  /** Told of every request that was answered: how many queries have been by now. */
  readonly asked?: ((queries: number) => void) | undefined;
}

/** What was learnt. */
export interface Extracted {
  readonly answered: Answered;
  /** Why the asking ended: the budget, the end of what there was to ask, or the oracle would say no more. */
  readonly ended: 'budget' | 'pool' | 'refused';
}

/**
 * Asks an oracle until the budget is spent, the queries are at their end, or it refuses (any error that is not a cancellation), and keeps what it said as
 * probabilities. Errors: `option/invalid` (a pool is missing), `run/cancelled`, those of training.
 */
export async function extract(
  { extraction, options }: PlannedExtraction,
  given: ExtractOptions,
): Promise<Extracted> {
  const { oracle, budget, pool, bounds, rng, signal } = given;
  const { sampleDims, classes } = oracle;
  const size = elementCount(sampleDims);
  if (extraction.needsPool && pool.length < size)
    throw new GlacisError(
      'option/invalid',
      `${extraction.id}: expected samples of the attacker's own, got none`,
    );
  const x = new Float32Array(budget * size);
  const y = new Float32Array(budget * classes);
  let n = 0;
  const copyOptions = { ...given.copy, sampleDims, classes, signal };
  const answered = (): Answered => ({ x: x.subarray(0, n * size), y: y.subarray(0, n * classes), n });
  let copy: { readonly of: number; readonly model: Model } | undefined;
  const inquiry = extraction.inquire(
    {
      size,
      classes,
      bounds,
      budget,
      pool,
      rng,
      async copyGradient(points, labels) {
        if (copy?.of !== n) copy = { of: n, model: await trainCopy(answered(), copyOptions) };
        return copyGradient(given.copy.engine, copy.model, points, labels);
      },
    },
    options,
  );
  let step = await inquiry.next(new Float32Array(0));
  while (!step.done) {
    throwIfCancelled(signal, extraction.id);
    const points = step.value;
    const here = Math.min(points.length / size, budget - n);
    const answers = new Float32Array((points.length / size) * classes);
    for (let at = 0; at < here; at += oracle.batch) {
      const count = Math.min(oracle.batch, here - at);
      let said: Float32Array;
      try {
        said = await oracle.ask(points.subarray(at * size, (at + count) * size), count, signal);
      } catch (thrown) {
        if (thrown instanceof GlacisError && thrown.code === 'run/cancelled') throw thrown;
        return { answered: answered(), ended: 'refused' };
      }
      const rows = given.gives === 'logits' ? softmax(said, classes) : normalised(said, classes);
      x.set(points.subarray(at * size, (at + count) * size), n * size);
      y.set(rows, n * classes);
      answers.set(rows, at * classes);
      n += count;
      given.asked?.(n);
    }
    if (n >= budget) return { answered: answered(), ended: 'budget' };
    step = await inquiry.next(answers);
  }
  return { answered: answered(), ended: 'pool' };
}

function softmax(logits: Float32Array, classes: number): Float32Array {
  const out = new Float32Array(logits.length);
  for (let from = 0; from < logits.length; from += classes) {
    const row = logits.subarray(from, from + classes);
    const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += out[from + k] = Math.exp(row[k]! - most);
    for (let k = 0; k < classes; k++) out[from + k]! /= sum;
  }
  return out;
}

/** Probabilities `[n, classes]` from rounded or cut-off ones, which need not add up to 1: what is missing is spread over the classes of which nothing was said. */
export function normalised(given: Float32Array, classes: number): Float32Array {
  const out = given.slice();
  for (let from = 0; from < out.length; from += classes) {
    let sum = 0;
    let silent = 0;
    for (let k = from; k < from + classes; k++) {
      sum += out[k]!;
      if (out[k] === 0) silent++;
    }
    if (silent > 0 && sum < 1)
      for (let k = from; k < from + classes; k++) if (out[k] === 0) out[k] = (1 - sum) / silent;
    const total = Math.max(sum, 1);
    for (let k = from; k < from + classes; k++) out[k]! /= total;
  }
  return out;
}
