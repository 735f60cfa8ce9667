import { apgdStart } from '../../attack/evasion/apgd-start.ts';
import { type Interviewed, interview } from '../../attack/interview.ts';
import { l1ProjectionFor } from '../../attack/l1-projection.ts';
import { elementCount } from '../../onnx/tensor.ts';
import type { Ball } from '../../threat/norm.ts';

/** Gradients where Auto-PGD on the difference of logits ratio would start. */
export interface StartGradients {
  readonly samples: number;
  /** Samples whose gradient is zero in every element, though the start does not fool the model. */
  readonly zero: number;
}

/**
 * Looks at the gradient of the difference of logits ratio at a random start for each of `samples` of `x`: where it is zero, gradient
 * attacks go nowhere, however many steps they have. The ratio vanishes with no scaling of the logits, as the cross-entropy's
 * gradient does. With fewer than three classes, and for other goals, the margin takes its place. Cost: one gradient a sample.
 */
export async function startGradients(
  model: Interviewed,
  samples: readonly number[],
  x: Float32Array,
  ball: Ball,
): Promise<StartGradients> {
  const { goal, oracle } = model;
  const size = elementCount(oracle.sampleDims);
  const hasRatio = goal.task === 'classification' && !goal.targeted && oracle.classes >= 3;
  const zeros = await interview(model, samples, function* (sample, rng) {
    const x0 = x.subarray(sample * size, (sample + 1) * size);
    const start = apgdStart(ball, x0, rng);
    if (ball.norm === 'l1') l1ProjectionFor(size, ball.bounds)(start, x0, ball.eps);
    const loss = hasRatio ? 'dlr' : 'margin';
    const { gradient, reached } = yield { kind: 'gradient', point: start, loss, probe: true };
    // Of a start that fools the model the ratio may be constant: where the label comes third.
    return !reached[0] && gradient.every((g) => g === 0);
  });
  return { samples: samples.length, zero: zeros.filter(Boolean).length };
}
