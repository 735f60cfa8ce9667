import { GlacisError } from '../../core/error.ts';
import { suggestion } from '../../core/options.ts';
import type { Corruption } from './corruption.ts';
import { defocusBlur } from './defocus-blur.ts';
import { elasticTransform } from './elastic.ts';
import { fog } from './fog.ts';
import { frost } from './frost.ts';
import { glassBlur } from './glass-blur.ts';
import { jpegCompression } from './jpeg.ts';
import { brightness, contrast } from './light.ts';
import { motionBlur } from './motion-blur.ts';
import { gaussianNoise, impulseNoise, shotNoise } from './noise.ts';
import { pixelate } from './pixelate.ts';
import { snow } from './snow.ts';
import { zoomBlur } from './zoom-blur.ts';

/**
 * The 15 common corruptions of Hendrycks & Dietterich 2019, in the order of their tables.
 *
 * Own programs after the published formulas and parameters; each says where it differs. For all of them: values are not rounded to
 * 8 bits, no JPEG of quality 85 follows (ImageNet-C was saved so), and pictures need be neither square nor of one size.
 *
 * @see https://arxiv.org/abs/1903.12261
 */
export const CORRUPTIONS: readonly Corruption[] = Object.freeze([
  gaussianNoise,
  shotNoise,
  impulseNoise,
  defocusBlur,
  glassBlur,
  motionBlur,
  zoomBlur,
  snow,
  frost,
  fog,
  brightness,
  contrast,
  elasticTransform,
  pixelate,
  jpegCompression,
]);

/** The corruption of this id. Errors: `option/invalid`, with the nearest that exists. */
export function corruptionFrom(id: string): Corruption {
  const found = CORRUPTIONS.find((corruption) => corruption.id === id);
  if (found) return found;
  const ids = CORRUPTIONS.map((corruption) => corruption.id);
  throw new GlacisError(
    'option/invalid',
    `corruption: expected one of ${ids.join(', ')}, got '${id}'${suggestion(id, ids)}`,
  );
}
