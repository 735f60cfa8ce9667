import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { defineDetector, type Observations, type Watched } from '../detector.ts';
import { likeliest } from '../likeliest.ts';
import { packedFloats } from '../packed-floats.ts';
import { fitGaussians, type Gaussians, nearestCentre, whiten } from './gaussian.ts';
import { MOST_FEATURES, sketchFor } from './sketch.ts';

const square = packedFloats(MOST_FEATURES ** 2);

const kept = z.strictObject({
  features: z.number().int().min(1),
  /** The model's classes, as it predicts them. */
  whitener: square,
  centres: packedFloats(),
  /** All samples as one distribution. */
  whole: z.strictObject({ whitener: square, centres: packedFloats() }),
});

type Kept = z.output<typeof kept>;

/**
 * The relative Mahalanobis distance of the last layer's features (Ren et al. 2021, "A Simple Fix to Mahalanobis Distance for Improving Near-OOD
 * Detection"): the squared distance to the nearest class, in units of the covariance that the classes share, less that to all samples as one
 * distribution. Classes are those that the model predicts, so that calm samples need no labels, and what is learnt is what is met in service.
 * Cost: `features²` products a sample (half of it for each of the two distributions) and `classes · features`.
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
    return {
      features: width,
      whitener: classes.whitener,
      centres: classes.centres,
      whole: { whitener: whole.whitener, centres: whole.centres },
    };
  },
  open(fit, watched) {
    const width = featuresOf(watched);
    const { width: short, sketch } = sketchFor(width);
    const classes = checked(fit, short);
    const whole = checked(fit.whole, short);
    if (fit.features !== width)
      throw new GlacisError(
        'option/invalid',
        `mahalanobis: expected a calibration for ${width} features, got one for ${fit.features}`,
      );
    const row = new Float32Array(short);
    const white = new Float32Array(short);
    return ({ n, features }) => {
      const scores = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        sketch(features!, i * width, row);
        whiten(classes.whitener, short, row, white);
        const near = nearestCentre(classes, white);
        whiten(whole.whitener, short, row, white);
        scores[i] = near - nearestCentre(whole, white);
      }
      return scores;
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

function checked({ whitener, centres }: Pick<Gaussians, 'whitener' | 'centres'>, width: number): Gaussians {
  if (whitener.length !== width * width || centres.length === 0 || centres.length % width !== 0)
    throw new GlacisError(
      'option/invalid',
      `mahalanobis: expected a calibration for ${width} features, got arrays of other lengths`,
    );
  return { width, whitener, centres };
}
