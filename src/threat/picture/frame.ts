import { GlacisError } from '../../core/error.ts';
import type { ImageDims } from '../image-dims.ts';

/** What a change of a picture must know beside its values. */
export interface Frame {
  readonly image: ImageDims;
  /** Values of black and of full light. */
  readonly bounds: readonly [number, number];
}

/** The frame of pictures that `attack` changes. Errors: `option/invalid` where the range is open. */
export function frameOf(image: ImageDims, bounds: Frame['bounds'], attack: string): Frame {
  if (!bounds.every(Number.isFinite))
    throw new GlacisError(
      'option/invalid',
      `${attack}: expected bounds that black and full light have, got ${bounds.join(' to ')}; give --range`,
    );
  return { image, bounds };
}

/** Moves `v` into the bounds. */
export function clipped(v: number, [low, high]: Frame['bounds']): number {
  return v < low ? low : v > high ? high : v;
}

/** Channels that carry light: a fourth is transparency. */
export function lightChannels({ channels }: ImageDims): number {
  return Math.min(channels, 3);
}
