import { GlacisError } from '../../core/error.ts';
import { mergeOptions } from '../../core/options.ts';
import { type Rng, randomFrom } from '../../core/random.ts';
import { type Corruption, corrupt } from '../../threat/corruption/corruption.ts';
import { addRandomNoise, type RandomNoise } from '../../threat/corruption/random-noise.ts';
import { CORRUPTIONS, corruptionFrom } from '../../threat/corruption/registry.ts';
import { CORRUPTION_SEVERITIES, type CorruptionSeverity } from '../../threat/corruption/severity.ts';
import { type ImageDims, imageDimsOf } from '../../threat/image-dims.ts';

/** What to run; every key has a default. */
export interface CorruptionOptions {
  /** Ids; all 15 without. */
  readonly corruptions?: readonly string[];
  /** All five without. */
  readonly severities?: readonly CorruptionSeverity[];
  /** Radii of uniform noise, in the model's input units; 2, 4, 8, 16 and 32 of 255 parts of its range without. */
  readonly uniform?: readonly number[];
  /**
   * Standard deviations of Gaussian noise; those of randomised smoothing (Cohen et al. 2019), 0.12, 0.25, 0.5 and 1 times the
   * range, without.
   */
  readonly gaussian?: readonly number[];
}

/** One corruption at one severity, or one noise of one amount. */
export type CorruptionCell =
  | { readonly corruption: Corruption; readonly severity: CorruptionSeverity }
  | { readonly noise: RandomNoise; readonly amount: number };

/** What is run, on what kind of picture. */
export interface CorruptionPlan {
  readonly image: ImageDims;
  /** Least and greatest value of the model's input. */
  readonly bounds: readonly [number, number];
  /** Rising. */
  readonly severities: readonly CorruptionSeverity[];
  /** Corruption after corruption, each by rising severity; then the noises. */
  readonly cells: readonly CorruptionCell[];
}

/**
 * Plans the corruptions of a model whose samples are pictures. Errors: `data/mismatch` where they are none or have no known range,
 * `option/unknown`, `option/invalid`.
 */
export function planCorruptions(
  sampleDims: readonly number[],
  bounds: readonly [number, number],
  options: CorruptionOptions = {},
): CorruptionPlan {
  const image = imageDimsOf(sampleDims);
  if (!image)
    throw new GlacisError(
      'data/mismatch',
      `corruptions: expected pictures ([channels, height, width] with 1, 3 or 4 channels, or the channels last), got samples of [${sampleDims.join(', ')}]`,
    );
  const width = bounds[1] - bounds[0];
  if (!(Number.isFinite(width) && width > 0))
    throw new GlacisError(
      'data/mismatch',
      "corruptions: expected a known range of the model's input, got none; give it with --range",
    );
  const chosen = mergeOptions<Required<CorruptionOptions>>(
    'corruptions',
    {
      corruptions: CORRUPTIONS.map(({ id }) => id),
      severities: CORRUPTION_SEVERITIES,
      uniform: [2, 4, 8, 16, 32].map((levels) => (levels / 255) * width),
      gaussian: [0.12, 0.25, 0.5, 1].map((share) => share * width),
    },
    // A key without a value means the default.
    Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
  );
  const severities = [...new Set(chosen.severities)].sort((a, b) => a - b);
  const wrong = severities.find((s) => !CORRUPTION_SEVERITIES.includes(s));
  if (wrong !== undefined || severities.length === 0)
    throw new GlacisError(
      'option/invalid',
      `corruptions: expected severities from 1 to 5, got ${wrong ?? 'none'}`,
    );
  const corruptions = [...new Set(chosen.corruptions)].map(corruptionFrom);
  return {
    image,
    bounds,
    severities,
    cells: [
      ...corruptions.flatMap((corruption) => severities.map((severity) => ({ corruption, severity }))),
      ...noiseCells('uniform', chosen.uniform),
      ...noiseCells('gaussian', chosen.gaussian),
    ],
  };
}

function noiseCells(noise: RandomNoise, amounts: readonly number[]): readonly CorruptionCell[] {
  const bad = amounts.find((amount) => !(Number.isFinite(amount) && amount > 0));
  if (bad !== undefined)
    throw new GlacisError('option/invalid', `${noise} noise: expected an amount above 0, got ${bad}`);
  return [...new Set(amounts)].sort((a, b) => a - b).map((amount) => ({ noise, amount }));
}

/** What a cell is about, in a few words: `fog, severity 3`. */
export function cellName(cell: CorruptionCell): string {
  return 'noise' in cell
    ? `${cell.noise} noise of ${Number(cell.amount.toPrecision(3))}`
    : `${cell.corruption.id}, severity ${cell.severity}`;
}

/**
 * One sample under one cell, in the model's input units. Random draws belong to seed, cell and sample, so that neither batch nor
 * order changes anything.
 */
export function corruptedSample(
  { image, bounds: [low, high] }: CorruptionPlan,
  cell: CorruptionCell,
  x: Float32Array,
  seed: number,
  sample: number,
): Float32Array {
  const width = high - low;
  const unit = x.map((value) => (value - low) / width);
  const rng = rngFor(cell, seed, sample);
  const out =
    'noise' in cell
      ? addRandomNoise(unit, cell.noise, cell.amount / width, rng)
      : corrupt(cell.corruption, unit, image, cell.severity, rng);
  // The bounds are float32 numbers; what rounding carries past them comes back.
  return out.map((value) => Math.min(high, Math.max(low, low + width * value)));
}

function rngFor(cell: CorruptionCell, seed: number, sample: number): Rng {
  return 'noise' in cell
    ? randomFrom(seed, 'noise', cell.noise, cell.amount, sample)
    : randomFrom(seed, 'corruption', cell.corruption.id, cell.severity, sample);
}
