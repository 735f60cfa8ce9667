import { GlacisError } from '../core/error.ts';
import type { Model } from '../onnx/model.ts';
import { elementCount } from '../onnx/tensor.ts';
import type { Engine } from '../runtime/engine.ts';
import { openPredictor } from '../runtime/predictor.ts';
import { copySample, type LabelledSamples } from './samples.ts';

/** Samples in one run. */
const BATCH = 256;

/**
 * Share of the samples whose largest output is the label's. The model is run as it would be deployed; it has one input and
 * one output `[batch, classes]`. Errors: `data/mismatch`, `model/dynamic-shape`, `run/failed`, `run/cancelled`.
 */
export async function accuracy(
  engine: Engine,
  model: Model,
  samples: LabelledSamples,
  signal?: AbortSignal,
): Promise<number> {
  const { name, type } = model.graph.inputs[0]!;
  const sampleDims = (type.kind === 'tensor' ? type.dims : undefined)?.slice(1) ?? [];
  if (!sampleDims.every((d) => typeof d === 'number'))
    throw new GlacisError('model/dynamic-shape', `input ${name}: expected a fixed shape of one sample`);
  const size = elementCount(sampleDims);
  const n = samples.y.length;
  const predictor = await openPredictor(engine, model, {
    input: name,
    output: model.graph.outputs[0]!.name,
    sampleDims,
    batch: BATCH,
  });
  try {
    let correct = 0;
    for (let at = 0; at < n; at += BATCH) {
      const count = Math.min(BATCH, n - at);
      const x = new Float32Array(count * size);
      for (let i = 0; i < count; i++) copySample(samples, at + i, x, i, size);
      const outputs = await predictor.predict(x, count, signal);
      const classes = outputs.length / count;
      for (let i = 0; i < count; i++) {
        const row = outputs.subarray(i * classes, (i + 1) * classes);
        if (row.indexOf(Math.max(...row)) === samples.y[at + i]) correct++;
      }
    }
    return correct / n;
  } finally {
    await predictor.close();
  }
}
