import { GlacisError } from '../../../core/error.ts';
import { type Rng, randomFrom } from '../../../core/random.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import type { Model } from '../../../onnx/model.ts';
import { elementCount } from '../../../onnx/tensor.ts';
import { f32, type HostTensor, i64 } from '../../../runtime/array.ts';
import type { Engine, Session } from '../../../runtime/engine.ts';
import type { Draw, LessonOptions } from '../../step/lesson.ts';
import { writeLesson } from '../../step/lesson.ts';
import { AWAY_FROM_ZERO, type PrivateGradient } from './private-gradient.ts';

/** Most that a clipped gradient may differ from half the sample's own, relative to that. */
const TOLERANCE = 1e-3;

/** How far weights are moved at random, so that a network that begins with zeros has gradients everywhere. */
const SHAKE = 0.02;

/**
 * Checks on made-up samples that `gradient` takes each sample on its own: with one row masked in and half its gradient's norm as the
 * limit, half the gradient must come out that the network has for this sample alone in a batch of one. So layers in which samples
 * influence each other, a batch on another axis and a wrong rule are found, whatever the network looks like.
 *
 * @param session of `gradient`'s model
 * @param weights what the network begins with, as the step holds it
 * Cost: two gradients for each of two samples. Errors: `model/unsupported-task`.
 */
export async function checkApart(
  engine: Engine,
  model: Model,
  gradient: PrivateGradient,
  session: Session,
  weights: readonly Float32Array[],
  options: Omit<LessonOptions, 'batch' | 'rows'>,
): Promise<void> {
  const { rows, inputs, sums } = gradient;
  const rng = randomFrom(1, 'private', 'check');
  const shaken = weights.map((values) => values.map((v) => v + SHAKE * rng.normal()));
  const single = await openSingle(engine, model, options);
  try {
    const samples = madeUp(gradient, rng);
    const settings = Object.fromEntries(
      Object.entries(inputs.settings).map(([name, input]) => [
        input,
        f32(Float32Array.of(options.objective.settings?.(1)[name] ?? 1), []),
      ]),
    );
    for (const row of new Set([0, rows - 1])) {
      const own = Object.fromEntries(Object.entries(samples).map(([name, t]) => [name, rowOf(t, row)]));
      const alone = await single.gradient(own, settings, shaken);
      const norm = Math.sqrt(alone.reduce((sum, g) => sum + g.reduce((s, v) => s + v * v, 0), 0));
      if (norm === 0) continue;
      const clipped = await session.run(
        {
          ...samples,
          ...settings,
          ...Object.fromEntries(
            sums.map(({ dims }, i) => [inputs.weights[i]!, f32(shaken[i]!.slice(), dims)]),
          ),
          ...Object.fromEntries(
            sums.map(({ input, dims }) => [input, f32(new Float32Array(elementCount(dims)), dims)]),
          ),
          [inputs.mask]: f32(
            Float32Array.from({ length: rows }, (_, i) => (i === row ? 1 : 0)),
            [rows],
          ),
          [inputs.clip]: f32(Float32Array.of(norm / 2), []),
        },
        { fetches: sums.map(({ output }) => output) },
      );
      // Undoes min(1, clip / (‖g‖ + 10⁻⁶)), which for the short gradients of a confident network is less than half.
      const back = (norm + AWAY_FROM_ZERO) / (norm / 2);
      const off = sums.map(({ output }, i) =>
        (clipped[output]!.data as Float32Array).reduce(
          (sum, v, k) => sum + (back * v - alone[i]![k]!) ** 2,
          0,
        ),
      );
      const apart = Math.sqrt(off.reduce((sum, v) => sum + v)) / norm;
      if (apart <= TOLERANCE) continue;
      const { name } = sums[off.indexOf(Math.max(...off))]!;
      throw new GlacisError(
        'model/unsupported-task',
        `private training: expected a network that takes each sample on its own, got a gradient that differs by ${apart.toPrecision(3)} of its norm from that of the sample alone, most in ${name}`,
      );
    }
  } finally {
    await single.close();
  }
}

/** The network's gradient for one sample alone. */
async function openSingle(engine: Engine, model: Model, options: Omit<LessonOptions, 'batch' | 'rows'>) {
  const { b, weights, gradients } = writeLesson(model, { ...options, batch: 1, rows: 1 });
  const outputs = weights.map(({ name }) => b.builder.freshName(`${name}/gradient`));
  const results: Record<string, Value> = {};
  for (const [i, name] of outputs.entries()) results[name] = gradients[i]!;
  const session = await engine.open(b.builder.build(results));
  return {
    async gradient(
      sample: Readonly<Record<string, HostTensor>>,
      settings: Readonly<Record<string, HostTensor>>,
      values: readonly Float32Array[],
    ): Promise<readonly Float32Array[]> {
      const own = weights.map(({ value }, i) => [value.name, f32(values[i]!.slice(), value.dims)] as const);
      const found = await session.run({ ...sample, ...settings, ...Object.fromEntries(own) });
      return outputs.map((name) => found[name]!.data as Float32Array);
    },
    close: () => session.close(),
  };
}

/** Samples, targets and random numbers for a whole physical batch, by input. */
function madeUp(
  { rows, inputs, targets, draws, sampleDims, outputs }: PrivateGradient,
  rng: Rng,
): Record<string, HostTensor> {
  const filled = (dims: readonly number[], next: () => number) =>
    f32(Float32Array.from({ length: elementCount(dims) }, next), dims);
  const kinds: Readonly<Record<Draw['kind'], (rate: number) => number>> = {
    normal: () => rng.normal(),
    uniform: () => 2 * rng.uniform() - 1,
    keep: (rate) => (rng.uniform() < rate ? 0 : 1 / (1 - rate)),
  };
  return {
    ...Object.fromEntries(
      [inputs.x, ...(inputs.attacked === undefined ? [] : [inputs.attacked])].map((name) => [
        name,
        filled([rows, ...sampleDims], () => rng.uniform()),
      ]),
    ),
    [inputs.targets]:
      targets.dtype === 'int64'
        ? i64(Array.from({ length: rows }, () => rng.integer(outputs)))
        : filled(targets.dims, () => rng.integer(2)),
    ...Object.fromEntries(
      draws.map(({ input, dims, kind, rate = 0 }) => [
        input,
        filled([rows, ...dims], () => kinds[kind](rate)),
      ]),
    ),
  };
}

function rowOf({ dtype, dims, data }: HostTensor, row: number): HostTensor {
  const width = data.length / dims[0]!;
  return {
    dtype,
    dims: [1, ...dims.slice(1)],
    data: data.slice(row * width, (row + 1) * width) as HostTensor['data'],
  };
}
