import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { defineDetector, type Observations, type Watched } from '../detector.ts';
import { likeliest } from '../likeliest.ts';
import { packedFloats } from '../packed-floats.ts';
import { distanceTo, fitGaussians, type Gaussians, whitenTwice } from './gaussian.ts';
import { MOST_FEATURES, sketchFor } from './sketch.ts';

const square = packedFloats(MOST_FEATURES ** 2);

const kept = z.strictObject({
  features: z.number().int().min(1),
  /** Calm samples of each class, as the model predicts it. */
  counts: z.array(z.number().int().min(0)).max(2 ** 20),
  whitener: square,
  centres: packedFloats(),
  /** All samples as one distribution. */
  whole: z.strictObject({ whitener: square, centres: packedFloats() }),
});

type Kept = z.output<typeof kept>;

/**
 * The relative Mahalanobis distance of the last layer's features (Ren et al. 2021, "A Simple Fix to Mahalanobis Distance for Improving Near-OOD
 * Detection"): the squared distance to the class, in units of the covariance that the classes share, less that to all samples as one distribution.
 * The class is the one that the model predicts, when it learns as in service: so calm samples need no labels. The paper takes the nearest class instead; measured on the
 * development part of bench/ours/guards, the predicted one finds five times as many attacked digits and as many strangers.
 * A class that no calm sample was predicted to be has no score. Cost: `features²` products a sample, half of it for each of the two distributions.
 */
export const mahalanobis = defineDetector<Kept>({
  id: 'mahalanobis',
  needs: 'features',
  kept,
  fit(calm, watched) {
    const width = featuresOf(watched);
    const rows = sketched(calm, width);
    const short = rows.length / calm.n;
    const group = likeliest(calm.scores, calm.n, watched.classes);
    const classes = fitGaussians(rows, short, group, watched.classes);
    const whole = fitGaussians(rows, short, new Uint8Array(calm.n), 1);
    const counts = new Array<number>(watched.classes).fill(0);
    for (const k of group) counts[k]!++;
    return {
      features: width,
      counts,
      whitener: classes.whitener,
      centres: classes.centres,
      whole: { whitener: whole.whitener, centres: whole.centres },
    };
  },
  open(fit, watched) {
    const width = featuresOf(watched);
    const { width: short, sketch } = sketchFor(width);
    const { counts } = fit;
    const classes = checked(fit, watched.classes, short);
    const whole = checked(fit.whole, 1, short);
    if (fit.features !== width || counts.length !== watched.classes)
      throw new GlacisError(
        'option/invalid',
        `mahalanobis: expected a calibration for ${width} features, got one for ${fit.features}`,
      );
    const row = new Float32Array(short);
    const wide = new Float64Array(short);
    const white = [new Float32Array(short), new Float32Array(short)] as const;
    const whiteners = [classes.whitener, whole.whitener] as const;
    return ({ n, features, scores }) => {
      const predicted = likeliest(scores, n, watched.classes);
      const distances = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        sketch(features!, i * width, row);
        wide.set(row);
        whitenTwice(whiteners, short, wide, white);
        const own = counts[predicted[i]!]! > 0 ? distanceTo(classes, predicted[i]!, white[0]) : Number.NaN;
        distances[i] = own - distanceTo(whole, 0, white[1]);
      }
      return distances;
    };
  },
});

/** The length of a row of features. Errors: `option/invalid` where the model has none. */
export function featuresOf({ features }: Watched): number {
  if (features !== undefined && features >= 1) return features;
  throw new GlacisError(
    'option/invalid',
    "features: expected a model whose last layer's features are known, got one without; leave the guards that need them out",
  );
}

/** The rows of features, short enough. */
function sketched({ n, features }: Observations, width: number): Float32Array {
  const { width: short, sketch } = sketchFor(width);
  const rows = new Float32Array(n * short);
  for (let i = 0; i < n; i++) sketch(features!, i * width, rows.subarray(i * short, (i + 1) * short));
  return rows;
}

function checked(
  { whitener, centres }: Pick<Gaussians, 'whitener' | 'centres'>,
  groups: number,
  width: number,
): Gaussians {
  if (whitener.length !== width * width || centres.length !== groups * width)
    throw new GlacisError(
      'option/invalid',
      `mahalanobis: expected a calibration for ${width} features, got arrays of other lengths`,
    );
  return { width, whitener, centres };
}
