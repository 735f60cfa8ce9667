import { throwIfCancelled } from '../../core/cancel.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { f32 } from '../../runtime/array.ts';
import type { WhiteBoxTarget } from '../../runtime/target.ts';
import { lastLayerInput } from '../../transform/last-layer.ts';
import type { Observations, Watched } from '../detector.ts';

/** A model that is being watched. */
export interface Observer {
  /** Without a range of values, which the data know. */
  readonly watched: Watched;
  /** Samples and what the model makes of them. Cost: one pass each. Errors: `run/failed`, `run/cancelled`. */
  observe(x: Float32Array, n: number, signal?: AbortSignal): Promise<Observations>;
}

/**
 * Opens a model for watching: scores are its output as it is served, with its softmax where it has one. Features are the value of the graph that `features` names, none where it
 * is empty; what the last layer with weights takes in where nothing is said. Errors: those of {@link WhiteBoxTarget.compile}.
 */
export async function openObserver(
  target: WhiteBoxTarget,
  batch: number,
  named?: { readonly features: string },
): Promise<Observer> {
  const { input, sampleDims, classes, found, fixedBatch } = target;
  const size = elementCount(sampleDims);
  const rows = fixedBatch ?? batch;
  let width: number | undefined;
  const session = await target.compile('observe', rows, ({ b, x, logits, values }) => {
    const at = x.dims[0]!;
    const inner = named ? values.get(named.features) : lastLayerInput(b.builder, logits);
    const features =
      inner && !inner.data && inner.dtype === 'float32' && inner.dims[0] === at
        ? b.reshape(inner, [at, elementCount(inner.dims.slice(1))])
        : undefined;
    width = features?.dims[1];
    const scores = b.reshape(values.get(found.output) ?? logits, [at, classes]);
    return { scores, ...(features && { features }) };
  });
  const observe: Observer['observe'] = async (x, n, signal) => {
    const scores = new Float32Array(n * classes);
    const features = width === undefined ? undefined : new Float32Array(n * width);
    for (let at = 0; at < n; at += rows) {
      throwIfCancelled(signal, 'observing');
      const count = Math.min(rows, n - at);
      const data = new Float32Array(rows * size);
      data.set(x.subarray(at * size, (at + count) * size));
      const out = await session.run({ [input]: f32(data, [rows, ...sampleDims]) });
      scores.set((out.scores!.data as Float32Array).subarray(0, count * classes), at * classes);
      if (features && width !== undefined)
        features.set((out.features!.data as Float32Array).subarray(0, count * width), at * width);
    }
    return { n, x, scores, features };
  };
  return {
    watched: {
      sampleDims,
      classes,
      gives: found.stripped === undefined || found.stripped === 'LogSoftmax' ? 'logits' : 'probabilities',
      features: width,
      ask: async (x, n) => (await observe(x, n)).scores,
    },
    observe,
  };
}
