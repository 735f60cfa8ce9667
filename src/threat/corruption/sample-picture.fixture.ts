import type { ImageDims } from '../image-dims.ts';
import type { Planes } from './planes.ts';

/** Bytes of a picture without symmetry, by formula, so that other programs can be given the same one. */
export function patternBytes(height: number, width: number, channels: number): Uint8Array {
  const bytes = new Uint8Array(channels * height * width);
  let to = 0;
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) bytes[to++] = (37 * c + 9 * y * y + 13 * x + 5 * x * y) % 256;
  return bytes;
}

/** {@link patternBytes} as planes in [0, 1]. */
export function pattern(height: number, width: number, channels: number): Planes {
  const values = Float32Array.from(patternBytes(height, width, channels), (byte) => byte / 255);
  return { channels, height, width, values };
}

/** Something like a photograph: a bright disk and a dark bar before a gradient, with texture. Values from 0.05 to 0.95. */
export function scene({ channels, height, width, layout }: ImageDims): Float32Array {
  const image = new Float32Array(channels * height * width);
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const [v, u] = [y / height, x / width];
        const disk = (u - 0.55) ** 2 + (v - 0.45) ** 2 < 0.06;
        const bar = Math.abs(u - 0.25) < 0.07;
        const base = disk ? 0.85 - 0.1 * c : bar ? 0.08 + 0.06 * c : 0.25 + 0.3 * v + 0.04 * c;
        const at = layout === 'chw' ? (c * height + y) * width + x : (y * width + x) * channels + c;
        image[at] = base + 0.05 * Math.sin(1.9 * x + 1.1 * y + c) + 0.04 * Math.cos(0.7 * x * y);
      }
  return image.map((value) => Math.min(0.95, Math.max(0.05, value)));
}
