import { type CorruptionPlan, corruptedSample } from './plan.ts';
import type { CorruptionSubject } from './run.ts';

/** One sample under every corruption, to look at. */
export interface CorruptionExamples {
  /** Number of the sample in the data. */
  readonly index: number;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** Severities that are shown, rising. */
  readonly severities: readonly number[];
  /** Planes of values in [0, 1]. */
  readonly clean: Float32Array;
  readonly items: readonly {
    readonly corruption: string;
    /** One picture for each of `severities`. */
    readonly pictures: readonly Float32Array[];
  }[];
}

/** Severities that are worth looking at. */
const SHOWN: readonly number[] = [1, 3, 5];

/**
 * A sample under every corruption, exactly as the model saw it with the same `seed`. `undefined` where a picture has
 * other than 1 or 3 channels or nothing is planned. Cost: no question to the model.
 *
 * @param sample position among the samples
 */
export async function corruptionExamples(
  { adapted }: Pick<CorruptionSubject, 'adapted'>,
  plan: CorruptionPlan,
  seed: number,
  sample: number,
  signal?: AbortSignal,
): Promise<CorruptionExamples | undefined> {
  const { channels, height, width, layout } = plan.image;
  const [low, high] = plan.bounds;
  if (channels !== 1 && channels !== 3) return undefined;
  const { x, indices } = await adapted.read(sample, 1, signal);
  const size = height * width;
  const picture = (values: Float32Array) =>
    Float32Array.from(values, (_, i) => {
      const from = layout === 'hwc' ? (i % size) * channels + Math.floor(i / size) : i;
      return (values[from]! - low) / (high - low);
    });
  const shown = plan.cells.filter((cell) => 'severity' in cell && SHOWN.includes(cell.severity));
  const byId = Map.groupBy(shown, (cell) => ('corruption' in cell ? cell.corruption.id : ''));
  if (byId.size === 0) return undefined;
  return {
    index: indices[0]!,
    width,
    height,
    channels,
    severities: plan.severities.filter((severity) => SHOWN.includes(severity)),
    clean: picture(x),
    items: [...byId].map(([corruption, cells]) => ({
      corruption,
      pictures: cells.map((cell) => picture(corruptedSample(plan, cell, x, seed, sample))),
    })),
  };
}
