import { type Interviewed, interview } from '../../attack/interview.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { type Ball, randomStart } from '../../threat/norm.ts';
import { climb } from './climb.ts';

/** Steps of each ascent. */
const STEPS = 40;

/**
 * Whether gradients of gentler functions find more: for each of `samples`, 1 if an ascent with every saturating function taken wider
 * (`saturation: 'wide'`) reached the goal in the ball, less 1 if one along the exact gradient did from the same start. Stairs of steep sigmoids
 * lead the exact gradient astray and leave the wide one in peace. Cost per sample: at most 80 gradients and 2 answers.
 */
export async function gentleGains(
  model: Interviewed,
  samples: readonly number[],
  x: Float32Array,
  ball: Ball,
): Promise<readonly number[]> {
  const size = elementCount(model.oracle.sampleDims);
  const ascend = (saturation: 'exact' | 'wide') =>
    interview({ ...model, saturation }, samples, function* (sample, rng) {
      const x0 = x.subarray(sample * size, (sample + 1) * size);
      const at = x0.slice();
      randomStart(ball, x0, at, 0, size, rng);
      const { steps } = yield* climb({ x0, at, ball, average: 1, blur: undefined }, STEPS);
      return steps !== undefined;
    });
  const [exact, wide] = [await ascend('exact'), await ascend('wide')];
  return wide.map((reached, i) => Number(reached) - Number(exact[i]));
}
