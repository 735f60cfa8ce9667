import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { imageDimsOf } from '../../transform/image-dims.ts';
import { defineDetector, type Watched } from '../detector.ts';
import { bitDepthSqueezer, medianSqueezer, type Squeezer } from './squeezers.ts';

/** Bits that the first squeezer keeps: one for what is black and white, else four. */
const kept = z.strictObject({ bits: z.number().int().min(1).max(8) });

type Kept = z.output<typeof kept>;

/**
 * Feature squeezing (Xu, Evans and Qi 2018): the model is asked about simpler copies of the sample as well, with fewer bits and through a 3×3 median. The score
 * is the largest L1 distance between the probabilities of the sample and of a copy, 0 to 2. Pictures only.
 * Cost: two further passes of the model a sample.
 */
export const squeezing = defineDetector<Kept>({
  id: 'feature-squeezing',
  needs: 'answers',
  kept,
  fit: ({ x }, watched) => {
    squeezersFor(watched, 4);
    return { bits: isBlackAndWhite(x, watched.range!) ? 1 : 4 };
  },
  open({ bits }, watched) {
    const squeezers = squeezersFor(watched, bits);
    const { ask, classes, gives, sampleDims } = watched;
    if (ask === undefined)
      throw new GlacisError(
        'option/invalid',
        'feature-squeezing: expected a model that can be asked, got none',
      );
    const size = elementCount(sampleDims);
    return async ({ n, x, scores }) => {
      // One question each: together they could be more samples than the model takes at once.
      const answers = await Promise.all(
        squeezers.map((squeeze) => {
          const copies = new Float32Array(n * size);
          for (let i = 0; i < n; i++) squeeze(x, i * size, copies, i * size);
          return ask(copies, n);
        }),
      );
      const own = new Float64Array(classes);
      const other = new Float64Array(classes);
      return Float64Array.from({ length: n }, (_, i) => {
        probabilities(scores, i * classes, own, gives);
        let most = 0;
        for (const answer of answers) {
          probabilities(answer, i * classes, other, gives);
          let gap = 0;
          for (let k = 0; k < classes; k++) gap += Math.abs(own[k]! - other[k]!);
          // NaN stays.
          if (!(gap <= most)) most = gap;
        }
        return most;
      });
    };
  },
});

function squeezersFor({ sampleDims, range }: Watched, bits: number): readonly Squeezer[] {
  const image = imageDimsOf(sampleDims);
  if (image === undefined || range === undefined)
    throw new GlacisError(
      'option/invalid',
      `feature-squeezing: expected pictures with a known range of values, got samples [${sampleDims.join(', ')}]; leave this guard out`,
    );
  const size = elementCount(sampleDims);
  return [bitDepthSqueezer(bits, size, range), medianSqueezer(image)];
}

/** Whether most values (85 %) of calm samples lie within a tenth of an end of the range: two levels then hold the picture. */
function isBlackAndWhite(x: Float32Array, [low, high]: readonly [number, number]): boolean {
  const tenth = (high - low) / 10;
  let near = 0;
  for (const value of x) if (value < low + tenth || value > high - tenth) near++;
  return near >= 0.85 * x.length;
}

function probabilities(
  scores: Float32Array,
  from: number,
  to: Float64Array,
  gives: 'logits' | 'probabilities',
): void {
  if (gives === 'probabilities') {
    for (let k = 0; k < to.length; k++) to[k] = scores[from + k]!;
    return;
  }
  let most = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < to.length; k++) if (!(scores[from + k]! <= most)) most = scores[from + k]!;
  let sum = 0;
  for (let k = 0; k < to.length; k++) {
    to[k] = Math.exp(scores[from + k]! - most);
    sum += to[k]!;
  }
  for (let k = 0; k < to.length; k++) to[k]! /= sum;
}
