import { GlacisError } from '../core/error.ts';
import type { ImageDims } from '../threat/image-dims.ts';

/** The picture in a sample, for attacks that only pictures suffer. Errors: `model/unsupported-task` where samples are none. */
export function pictureOf(
  { image, sampleDims }: { readonly image: ImageDims | undefined; readonly sampleDims: readonly number[] },
  attack: string,
): ImageDims {
  if (!image)
    throw new GlacisError(
      'model/unsupported-task',
      `${attack}: expected samples that are pictures ([C, H, W], [H, W, C] or [H, W] with 1, 3 or 4 channels), got [${sampleDims.join(', ')}]`,
    );
  return image;
}
