import { throwIfCancelled } from '../core/cancel.ts';
import { elementCount } from '../onnx/tensor.ts';
import { f32 } from '../runtime/array.ts';
import { fitting } from '../runtime/fitting.ts';
import type { WhiteBoxTarget } from '../runtime/target.ts';
import type { Goal } from '../threat/goal.ts';
import type { GradientOptions } from '../transform/gradient/rule.ts';
import { vjp } from '../transform/gradient/vjp.ts';
import { type Answerer, whiteBoxAnswerer } from './answerer.ts';
import { featureLayer } from './feature-layer.ts';

const GUIDE = 'glacis_guide';

/**
 * The activations of an inner layer (see {@link featureLayer}) for `samples` of `x0`, one after another, in full batches.
 * Errors: those of the layer and of the run, `run/cancelled`. Cost: one forward pass each.
 */
export async function* featuresOf(
  target: WhiteBoxTarget,
  layer: string,
  x0: Float32Array,
  samples: readonly number[],
  batch: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ readonly sample: number; readonly features: Float32Array }> {
  const size = elementCount(target.sampleDims);
  const most = target.fixedBatch ?? batch;
  for (let from = 0; from < samples.length; from += most) {
    throwIfCancelled(signal, 'attack');
    const part = samples.slice(from, from + most);
    const rows = target.fixedBatch ?? fitting(part.length, most);
    const points = new Float32Array(rows * size);
    for (const [i, sample] of part.entries())
      points.set(x0.subarray(sample * size, (sample + 1) * size), i * size);
    const session = await target.compile(`features ${layer}`, rows, (graph) => ({
      features: featureLayer(graph, layer),
    }));
    const out = await session.run({ [target.input]: f32(points, [rows, ...target.sampleDims]) });
    target.queries.forward += part.length;
    const features = out.features!.data as Float32Array;
    const width = features.length / rows;
    for (const [i, sample] of part.entries())
      yield { sample, features: features.subarray(i * width, (i + 1) * width) };
  }
}

/**
 * Answers from the model's graph, like {@link whiteBoxAnswerer}, but for questions about a gradient: their loss, whatever they name, is
 * `−‖features − guide‖²` in an inner layer, the guide being what `guideOf` holds for the sample when it is asked about.
 */
export function featureAnswerer(
  target: WhiteBoxTarget,
  goal: Goal,
  batch: number,
  layer: string,
  guideOf: ReadonlyMap<number, Float32Array>,
  options: GradientOptions,
): Answerer {
  const plain = whiteBoxAnswerer(target, goal, batch);
  const size = elementCount(target.sampleDims);
  return {
    ...plain,
    async answer(asked, signal) {
      if (asked[0]!.question.kind === 'answers') return plain.answer(asked, signal);
      const count = target.fixedBatch ?? fitting(asked.length, plain.batch);
      // What fills the batch up repeats the last row.
      const rows = Array.from({ length: count }, (_, i) => asked[Math.min(i, asked.length - 1)]!);
      const width = guideOf.get(rows[0]!.sample)!.length;
      const points = new Float32Array(count * size);
      const guides = new Float32Array(count * width);
      for (const [i, { sample, question }] of rows.entries()) {
        if (question.kind === 'gradient') points.set(question.point, i * size);
        guides.set(guideOf.get(sample)!, i * width);
      }
      const key = `feature ${layer} ${options.rounding ?? 'zero'}`;
      const session = await target.compile(key, count, (graph) => {
        const { b, x, logits } = graph;
        const features = featureLayer(graph, layer);
        const gap = b.sub(features, b.builder.input(GUIDE, 'float32', features.dims));
        const [gradient] = vjp(b, [{ value: features, grad: b.mul(gap, -2) }], [x], options);
        return { logits, loss: b.neg(b.sum(b.mul(gap, gap), [1])), gradient: gradient! };
      });
      target.queries.forward += asked.length;
      target.queries.gradient += asked.length;
      const out = await session.run({
        [target.input]: f32(points, [count, ...target.sampleDims]),
        [GUIDE]: f32(guides, [count, width]),
      });
      return {
        logits: out.logits!.data as Float32Array,
        losses: out.loss!.data as Float32Array,
        gradients: out.gradient!.data as Float32Array,
      };
    },
  };
}
