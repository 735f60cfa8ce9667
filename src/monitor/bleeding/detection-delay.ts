import type { Rng } from '../../core/random.ts';
import { openEDetector } from '../statistics/e-detector.ts';

/** How long a loss of a size goes on until it is found. */
export interface Delay {
  /** Added to the mean. */
  readonly loss: number;
  /** Samples until the alarm: median and 90 % of simulated runs; null where it was not found within the runs' length. */
  readonly median: number | null;
  readonly most: number | null;
}

/** Losses that are simulated unless others are given. */
export const LOSSES: readonly number[] = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1];

/** How {@link detectionDelays} simulates. */
export interface DelayOptions {
  /** Calm numbers in [0, 1] to draw from. */
  readonly calm: readonly number[];
  /** What is held for usual, and the run length of the detector. */
  readonly usual: number;
  readonly runLength: number;
  readonly rng: Rng;
  readonly losses?: readonly number[] | undefined;
  readonly runs?: number | undefined;
  /** Samples after which a run is given up. */
  readonly most?: number | undefined;
}

/**
 * Simulates how many samples it takes until a constant loss is found: calm numbers drawn at random, of which so many become 1 that the mean rises by the loss. This is what "slow" means
 * at a given traffic. Cost: runs × samples until found.
 */
export function detectionDelays({
  calm,
  usual,
  runLength,
  rng,
  losses = LOSSES,
  runs = 15,
  most = 200_000,
}: DelayOptions): readonly Delay[] {
  if (calm.length === 0) return [];
  const mean = calm.reduce((sum, x) => sum + x, 0) / calm.length;
  return losses.map((loss) => {
    // From x to 1 gains 1 − x, on average 1 − mean.
    const share = Math.min(1, loss / Math.max(1e-9, 1 - mean));
    if (mean + loss <= usual) return { loss, median: null, most: null };
    const found = Array.from({ length: runs }, (_, run) => {
      const draw = rng.fork(loss, run);
      const detector = openEDetector(usual, runLength);
      for (let t = 0; t < 500; t++) detector.take(calm[draw.integer(calm.length)]!);
      for (let t = 1; t <= most; t++)
        if (detector.take(draw.uniform() < share ? 1 : calm[draw.integer(calm.length)]!)) return t;
      return Number.POSITIVE_INFINITY;
    }).sort((a, b) => a - b);
    const at = (share: number) => {
      const value = found[Math.min(runs - 1, Math.floor(share * runs))]!;
      return Number.isFinite(value) ? value : null;
    };
    return { loss, median: at(0.5), most: at(0.9) };
  });
}
