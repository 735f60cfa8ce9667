import { f32 } from '../runtime/array.ts';
import { batchRunner } from '../runtime/batch-runner.ts';
import type { TargetGraph, WhiteBoxTarget } from '../runtime/target.ts';
import { vjp } from '../transform/gradient/vjp.ts';
import type { AskGradients } from './attributions.ts';

const COTANGENT = 'glacis_cotangent';

/**
 * Gradients of single outputs of a model, one point at a time (as many as the file fixes, where it does): a graph for one sample is right whatever a file bakes into its shapes. Errors: those of
 * {@link WhiteBoxTarget.compile} and of the run.
 */
export function outputGradients(target: WhiteBoxTarget): AskGradients {
  const { sampleDims, classes } = target;
  const runner = batchRunner(target, 1, 'gradients');
  return async (points, output, count) => {
    const size = points.length / count;
    const gradients = new Float32Array(points.length);
    for (let at = 0; at < count; at += runner.batch) {
      const part = points.subarray(at * size, Math.min(count, at + runner.batch) * size);
      const { gradient } = await runner.run(
        'gradient of an output',
        part.length / size,
        gradientOf,
        (rows) => {
          const x = new Float32Array(rows * size);
          x.set(part);
          const cotangent = new Float32Array(rows * classes);
          for (let row = 0; row < rows; row++) cotangent[row * classes + output] = 1;
          return {
            [target.input]: f32(x, [rows, ...sampleDims]),
            [COTANGENT]: f32(cotangent, [rows, classes]),
          };
        },
      );
      gradients.set((gradient!.data as Float32Array).subarray(0, part.length), at * size);
    }
    return gradients;
  };
}

function gradientOf({ b, x, logits }: TargetGraph) {
  const cotangent = b.builder.input(COTANGENT, logits.dtype, logits.dims);
  const [gradient] = vjp(b, [{ value: logits, grad: cotangent }], [x]);
  return { gradient: gradient! };
}
