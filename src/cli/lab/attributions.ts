import { type Interviewed, interview } from '../../attack/interview.ts';
import type { Answer, GradientQuestion } from '../../attack/question.ts';
import { randomFrom } from '../../core/random.ts';

/** Points along the way from nothing to the input, for integrated gradients. */
const POINTS = 24;

/**
 * How much each element speaks for output `output` at `x`: gradient × input, or integrated gradients from `baseline` (Sundararajan et al. 2017, midpoint rule),
 * whose sum is about the difference of the output. Cost: 1 gradient, or 24.
 */
export async function attributionsOf(
  model: Omit<Interviewed, 'rng'>,
  x: Float32Array,
  output: number,
  { integrated, baseline }: { readonly integrated: boolean; readonly baseline: number },
): Promise<Float32Array> {
  const cotangent = new Float32Array(model.oracle.classes);
  cotangent[output] = 1;
  const at = (share: number): GradientQuestion => ({
    kind: 'gradient',
    point: x.map((value) => baseline + share * (value - baseline)),
    loss: 'linear',
    cotangent,
    probe: true,
  });
  const shares = integrated ? Array.from({ length: POINTS }, (_, i) => (i + 0.5) / POINTS) : [1];
  const [sum] = await interview({ ...model, rng: () => randomFrom(0, 'attributions') }, [0], function* () {
    const total = new Float64Array(x.length);
    for (const share of shares) {
      const { gradient }: Answer = yield at(share);
      for (let i = 0; i < total.length; i++) total[i]! += gradient[i]! / shares.length;
    }
    return total;
  });
  return x.map((value, i) => sum![i]! * (integrated ? value - baseline : value));
}
