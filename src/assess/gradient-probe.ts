import { elementCount } from '../onnx/tensor.ts';
import { f32 } from '../runtime/array.ts';
import type { WhiteBoxTarget } from '../runtime/target.ts';
import type { Goal } from '../threat/goal.ts';
import { STEP_INPUTS } from '../threat/step.ts';
import { vjp } from '../transform/gradient/vjp.ts';

/** What the gradient at the clean samples looks like. */
export interface GradientProbe {
  readonly samples: number;
  /** Samples whose gradient is zero in every element. */
  readonly zero: number;
  /** Samples whose gradient holds NaN or infinity. */
  readonly notFinite: number;
  /** Seconds that a gradient takes per sample, after warming up. */
  readonly secondsPerSample: number;
}

/**
 * The loss's gradient at clean samples `todo` of `x`: a model whose gradient is zero hides from gradient attacks without
 * being robust. Cost: two gradients a sample.
 */
export async function probeGradient(
  target: WhiteBoxTarget,
  goal: Goal,
  x: Float32Array,
  todo: readonly number[],
  batch: number,
  now: () => number = () => performance.now(),
): Promise<GradientProbe> {
  const size = elementCount(target.sampleDims);
  const rows = target.fixedBatch ?? Math.min(batch, todo.length);
  const part = todo.slice(0, rows);
  const session = await target.compile(`probe ${goal.task}`, rows, ({ b, x: input, logits }) => {
    const { dtype, dims } = goal.input(input.dims[0]!);
    const wanted = b.builder.input(STEP_INPUTS.goal, dtype, dims);
    const { loss, gradient } = goal.loss(b, logits, wanted);
    const cotangent = gradient
      ? { value: logits, grad: gradient }
      : { value: loss, grad: b.full(loss.dims, 1, loss.dtype) };
    return { gradient: vjp(b, [cotangent], [input])[0]! };
  });
  const points = new Float32Array(rows * size);
  const samples = Array.from({ length: rows }, (_, i) => part[Math.min(i, part.length - 1)]!);
  for (const [i, sample] of samples.entries())
    points.set(x.subarray(sample * size, (sample + 1) * size), i * size);
  const feeds = {
    [target.input]: f32(points, [rows, ...target.sampleDims]),
    [STEP_INPUTS.goal]: goal.feed(samples),
  };
  await session.run(feeds);
  const began = now();
  const out = await session.run(feeds);
  const seconds = (now() - began) / 1000;
  target.queries.forward += 2 * rows;
  target.queries.gradient += 2 * rows;
  const gradient = out.gradient!.data as Float32Array;
  let zero = 0;
  let notFinite = 0;
  for (let i = 0; i < part.length; i++) {
    const row = gradient.subarray(i * size, (i + 1) * size);
    if (row.every((g) => g === 0)) zero++;
    if (row.some((g) => !Number.isFinite(g))) notFinite++;
  }
  return { samples: part.length, zero, notFinite, secondsPerSample: seconds / rows };
}
