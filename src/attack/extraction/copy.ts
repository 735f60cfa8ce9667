import { GlacisError } from '../../core/error.ts';
import type { Model } from '../../onnx/model.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { f32, i64 } from '../../runtime/array.ts';
import type { Engine } from '../../runtime/engine.ts';
import { openPredictor } from '../../runtime/predictor.ts';
import { openTarget } from '../../runtime/target.ts';
import { buildRecipe, cosine, distillation, type PlannedRecipe, train } from '../../train/index.ts';
import { vjp } from '../../transform/gradient/vjp.ts';

/** What was asked and answered. */
export interface Answered {
  /** Points, `[n, size]`. */
  readonly x: Float32Array;
  /** Probabilities, `[n, classes]`. */
  readonly y: Float32Array;
  readonly n: number;
}

/** How a copy is trained. */
export interface CopyOptions {
  readonly engine: Engine;
  readonly recipe: PlannedRecipe;
  readonly sampleDims: readonly number[];
  readonly classes: number;
  /** Steps of training, whatever the number of samples, but no more than `epochs` passes. */
  readonly steps: number;
  readonly epochs: number;
  readonly batch: number;
  readonly rate: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

/** Rows of one run. */
const ROWS = 256;

/**
 * Trains a copy from scratch on answers: cross-entropy against the probabilities that were given (Orekondy et al. 2019). Errors: those of the training;
 * `data/mismatch` without answers.
 */
export async function trainCopy({ x, y, n }: Answered, options: CopyOptions): Promise<Model> {
  const { engine, recipe, sampleDims, classes, seed, signal } = options;
  if (n === 0) throw new GlacisError('data/mismatch', 'copy: expected answers to learn from, got none');
  const batch = Math.min(options.batch, n);
  const perEpoch = Math.floor(n / batch);
  const epochs = Math.max(1, Math.min(options.epochs, Math.ceil(options.steps / perEpoch)));
  const model = buildRecipe(recipe, {
    input: sampleDims,
    outputs: classes,
    seed,
    centre: { mean: [0.5], std: [0.25] },
  });
  const { model: copy } = await train(
    engine,
    model,
    { x, y },
    {
      epochs,
      batch,
      schedule: cosine({ peak: options.rate }),
      seed,
      criterion: distillation(),
      ...(signal && { signal }),
    },
  );
  return copy;
}

/** The copy's scores, `[n, classes]`. Errors: those of the runtime. */
export async function answersOf(
  engine: Engine,
  copy: Model,
  x: Float32Array,
  sampleDims: readonly number[],
): Promise<Float32Array> {
  const predictor = await openPredictor(engine, copy, { ...endsOf(copy), sampleDims, batch: ROWS });
  try {
    return await predictor.predict(x, x.length / elementCount(sampleDims));
  } finally {
    await predictor.close();
  }
}

/** The gradient of the copy's score for a class of each point, or for the class that it gives. Errors: those of the runtime. */
export async function copyGradient(
  engine: Engine,
  copy: Model,
  points: Float32Array,
  labels: ArrayLike<number> | undefined,
): Promise<Float32Array> {
  const target = openTarget(engine, copy);
  try {
    const size = elementCount(target.sampleDims);
    const n = points.length / size;
    const session = await target.compile('gradient of a score', ROWS, ({ b, x, logits }) => {
      const wanted = b.builder.input('glacis_label', 'int64', [x.dims[0]!]);
      const own = b.node('ArgMax', [logits], { axis: 1, keepdims: 0 });
      const zero = b.builder.constant({ dtype: 'int64', dims: [], data: new Uint8Array(8) });
      const label = b.node('Where', [b.compare('Less', wanted, zero), own, wanted]);
      const score = b.node('GatherElements', [logits, b.unsqueeze(label, [1])], { axis: 1 });
      return { gradient: vjp(b, [{ value: score, grad: b.full(score.dims, 1, score.dtype) }], [x])[0]! };
    });
    const out = new Float32Array(points.length);
    for (let at = 0; at < n; at += ROWS) {
      const count = Math.min(ROWS, n - at);
      const padded = new Float32Array(ROWS * size);
      padded.set(points.subarray(at * size, (at + count) * size));
      const asked = Array.from({ length: ROWS }, (_, i) => (i < count ? (labels?.[at + i] ?? -1) : 0));
      const { gradient } = await session.run({
        [target.input]: f32(padded, [ROWS, ...target.sampleDims]),
        glacis_label: i64(asked),
      });
      out.set((gradient!.data as Float32Array).subarray(0, count * size), at * size);
    }
    return out;
  } finally {
    await target.close();
  }
}

function endsOf(model: Model): { readonly input: string; readonly output: string } {
  return { input: model.graph.inputs[0]!.name, output: model.graph.outputs[0]!.name };
}
