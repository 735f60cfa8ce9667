import type { ImageDims } from '../image-dims.ts';

/** What a change of a picture must know beside its values. */
export interface Frame {
  readonly image: ImageDims;
  /** Values of black and of full light. */
  readonly bounds: readonly [number, number];
}

/** Moves `v` into the bounds. */
export function clipped(v: number, [low, high]: Frame['bounds']): number {
  return v < low ? low : v > high ? high : v;
}

/** Channels that carry light: a fourth is transparency. */
export function lightChannels({ channels }: ImageDims): number {
  return Math.min(channels, 3);
}
