import { type Frame, lightChannels } from '../threat/picture/frame.ts';
import { type Patch, placed } from '../threat/picture/placement.ts';
import type { Picture } from './png.ts';

/** Least pixels along a side, so that printers and viewers have nothing to smooth. */
const LEAST_PIXELS = 600;

/**
 * A patch `[channels, side, side]` (grey, or red, green and blue, within the bounds) as a picture to print, opaque where it covers what lies
 * below. What is between texels is drawn as the attack saw it.
 */
export function patchPicture(
  {
    values,
    dims,
    bounds,
  }: {
    readonly values: Float32Array;
    readonly dims: readonly number[];
    readonly bounds: readonly [number, number];
  },
  shape: Patch['shape'],
): Picture {
  const [channels = 1, side = 1] = dims;
  const width = side * Math.ceil(LEAST_PIXELS / side);
  const plane = width * width;
  const whole = { x: (width - 1) / 2, y: (width - 1) / 2, size: width, angle: 0, contrast: 1, brightness: 0 };
  const drawn = (frame: Frame, patch: Patch) => {
    const empty = new Float32Array(lightChannels(frame.image) * plane).fill(frame.bounds[0]);
    const out = new Float32Array(empty.length);
    placed(frame, empty, patch, whole, out);
    return out.map((v) => Math.round((255 * (v - frame.bounds[0])) / (frame.bounds[1] - frame.bounds[0])));
  };
  const image = { channels, height: width, width, layout: 'chw' } as const;
  const colours = drawn({ image, bounds }, { texels: values, side, shape: 'square' });
  const opacity = drawn(
    { image: { ...image, channels: 1 }, bounds: [0, 1] },
    { texels: new Float32Array(side * side).fill(1), side, shape },
  );
  const light = channels === 1 ? 1 : 3;
  const pixels = new Uint8Array(plane * (light + 1));
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < light; c++) pixels[i * (light + 1) + c] = colours[c * plane + i]!;
    pixels[i * (light + 1) + light] = opacity[i]!;
  }
  return { width, height: width, channels: light === 1 ? 2 : 4, pixels };
}
