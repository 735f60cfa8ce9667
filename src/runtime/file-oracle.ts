import { elementCount } from '../onnx/tensor.ts';
import { f32 } from './array.ts';
import { batchRunner } from './batch-runner.ts';
import type { Oracle } from './oracle.ts';
import type { WhiteBoxTarget } from './target.ts';

/** A model file as something that is only asked: its logits, at native speed. Errors: those of {@link WhiteBoxTarget.compile}. */
export function fileOracle(target: WhiteBoxTarget, batch: number): Oracle {
  const { sampleDims, classes } = target;
  const size = elementCount(sampleDims);
  const runner = batchRunner(target, batch, 'answers');
  return {
    sampleDims,
    classes,
    batch: runner.batch,
    parallel: runner.parallel,
    sizes: runner.sizes,
    async ask(points, n) {
      const out = await runner.run(
        'logits',
        n,
        ({ logits }) => ({ logits }),
        (rows) => {
          if (points.length === rows * size) return { [target.input]: f32(points, [rows, ...sampleDims]) };
          const filled = new Float32Array(rows * size);
          filled.set(points.subarray(0, n * size));
          return { [target.input]: f32(filled, [rows, ...sampleDims]) };
        },
      );
      return (out.logits!.data as Float32Array).subarray(0, n * classes);
    },
    // The target is its owner's to close.
    close: async () => {},
  };
}
