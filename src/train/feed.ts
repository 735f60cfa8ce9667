import { type Rng, randomFrom } from '../core/random.ts';
import { elementCount } from '../onnx/tensor.ts';
import { f32, type HostTensor, i64 } from '../runtime/array.ts';
import type { Augment } from './augment.ts';
import type { CriterionName } from './criterion/criterion.ts';
import { copySample, hasClasses, type LabelledSamples, shuffled } from './samples.ts';
import type { Draw } from './step/lesson.ts';
import type { TrainingStep } from './step/step.ts';

/** What becomes of samples before a step takes them. */
export interface FeedOptions {
  readonly seed: number;
  readonly augment: readonly Augment[];
  /** Mixes each sample with another of its batch (Zhang et al. 2018); strength `alpha` of the Beta distribution. */
  readonly mixup?: number;
  readonly criterion: CriterionName;
}

/** What a feed makes inputs for. */
export type Fed = Pick<TrainingStep, 'targets' | 'draws' | 'sampleDims' | 'outputs'> & {
  readonly inputs: Pick<TrainingStep['inputs'], 'x' | 'targets'>;
};

/** Makes the inputs of steps: samples, targets and random numbers. */
export interface Feed {
  /** The inputs of step `at` (from 0, over all epochs) of `epoch` from the samples of these numbers. */
  inputs(samples: Int32Array, epoch: number, at: number): Record<string, HostTensor>;
}

/**
 * Feeds `step` from `data`. What becomes of a sample depends on the seed, the sample's number, the epoch and the step only, so that a run
 * can begin in the middle.
 */
export function feedFor(step: Fed, data: LabelledSamples, options: FeedOptions): Feed {
  const size = elementCount(step.sampleDims);
  const { seed } = options;
  return {
    inputs(samples, epoch, at) {
      const x = new Float32Array(samples.length * size);
      for (const [to, from] of samples.entries()) {
        copySample(data, from, x, to, size);
        if (options.augment.length === 0) continue;
        const rng = randomFrom(seed, 'train', 'augment', epoch, from);
        for (const each of options.augment)
          each.apply(x.subarray(to * size, (to + 1) * size), step.sampleDims, rng);
      }
      const targets = targetsOf(step, data, samples, options.criterion);
      if (options.mixup)
        mix(x, targets, samples.length, randomFrom(seed, 'train', 'mixup', at), options.mixup);
      const isWhole = step.targets.dtype === 'int64';
      return {
        [step.inputs.x]: f32(x, [samples.length, ...step.sampleDims]),
        [step.inputs.targets]: isWhole
          ? i64(targets)
          : f32(targets, [samples.length, ...step.targets.dims.slice(1)]),
        ...Object.fromEntries(
          step.draws.map((draw) => [
            draw.input,
            drawn(draw, samples, (from) => randomFrom(seed, 'train', draw.input, at, from)),
          ]),
        ),
      };
    },
  };
}

/** Targets as the step's criterion takes them, row by row. */
function targetsOf(
  { targets: { dims }, outputs }: Fed,
  { y }: LabelledSamples,
  samples: Int32Array,
  criterion: CriterionName,
): Float32Array {
  if (dims.length === 1) return Float32Array.from(samples, (i) => y[i]!);
  const targets = new Float32Array(samples.length * outputs);
  for (const [to, from] of samples.entries()) {
    if (hasClasses(criterion)) targets[to * outputs + y[from]!] = 1;
    else for (let k = 0; k < outputs; k++) targets[to * outputs + k] = y[from * outputs + k]!;
  }
  return targets;
}

/** Replaces each sample by `λ x_i + (1 − λ) x_j` with `j` from a random order of the batch, its targets alike; one `λ ~ Beta(α, α)` a batch. */
function mix(x: Float32Array, targets: Float32Array, rows: number, rng: Rng, alpha: number): void {
  const [first, second] = [gamma(alpha, rng), gamma(alpha, rng)];
  const lambda = first / (first + second);
  const partners = shuffled(rows, rng);
  for (const values of [x, targets]) {
    const width = values.length / rows;
    const before = values.slice();
    for (let i = 0; i < rows; i++)
      for (let k = 0; k < width; k++)
        values[i * width + k] =
          lambda * before[i * width + k]! + (1 - lambda) * before[partners[i]! * width + k]!;
  }
}

/** A draw of the gamma distribution of shape `alpha` and scale 1 (Marsaglia & Tsang 2000). */
function gamma(alpha: number, rng: Rng): number {
  if (alpha < 1) return gamma(alpha + 1, rng) * (1 - rng.uniform()) ** (1 / alpha);
  const d = alpha - 1 / 3;
  for (;;) {
    const z = rng.normal();
    const v = (1 + z / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(1 - rng.uniform()) < z * z * 0.5 + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** The numbers of a draw, for each sample by its own stream. */
function drawn(draw: Draw, samples: Int32Array, streamOf: (sample: number) => Rng): HostTensor {
  const size = elementCount(draw.dims);
  const values = new Float32Array(samples.length * size);
  const rate = draw.rate ?? 0;
  for (const [row, sample] of samples.entries()) {
    const rng = streamOf(sample);
    for (let i = row * size; i < (row + 1) * size; i++)
      values[i] =
        draw.kind === 'normal'
          ? rng.normal()
          : draw.kind === 'uniform'
            ? 2 * rng.uniform() - 1
            : rng.uniform() < rate
              ? 0
              : 1 / (1 - rate);
  }
  return f32(values, [samples.length, ...draw.dims]);
}
