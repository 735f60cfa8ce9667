import { type Interviewed, interview } from '../../attack/interview.ts';
import type { Talk } from '../../attack/question.ts';
import type { Rng } from '../../core/random.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { type Ball, randomStart } from '../../threat/norm.ts';

/** Random points of the ball for each sample. */
const POINTS = 32;

/**
 * Whether one of 32 random points of the ball reaches the goal, for each of `samples`; in Linf half of them are corners.
 * Cost per sample: 32 answers.
 */
export function fallsToNoise(
  model: Interviewed,
  samples: readonly number[],
  x: Float32Array,
  ball: Ball,
): Promise<readonly boolean[]> {
  const size = elementCount(model.oracle.sampleDims);
  return interview(model, samples, (sample, rng) =>
    noise(x.subarray(sample * size, (sample + 1) * size), ball, rng),
  );
}

function* noise(x0: Float32Array, ball: Ball, rng: Rng): Talk<boolean> {
  const size = x0.length;
  const [low, high] = ball.bounds;
  const points = new Float32Array(POINTS * size);
  for (let k = 0; k < POINTS; k++) {
    const at = points.subarray(k * size, (k + 1) * size);
    at.set(x0);
    if (ball.norm === 'linf' && k % 2 === 1) {
      for (let i = 0; i < size; i++) {
        const step = rng.uniform() < 0.5 ? -ball.eps : ball.eps;
        at[i] = Math.min(high, Math.max(low, x0[i]! + step));
      }
    } else randomStart(ball, x0, at, 0, size, rng);
    ball.constraint?.project(at, 0, x0, 0, size, ball);
  }
  const { reached } = yield { kind: 'answers', points, count: POINTS, probe: true };
  return reached.some(Boolean);
}
