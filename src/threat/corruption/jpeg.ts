import { CHROMINANCE, LUMINANCE, tableFor } from '../../transform/defence/jpeg-tables.ts';
import type { Corruption } from './corruption.ts';
import { quantised } from './jpeg-blocks.ts';
import { halved, widened } from './jpeg-chroma.ts';
import { eachPlane, type Planes } from './planes.ts';
import { parametersFor, type SeverityTable } from './severity.ts';

/** Quality as libjpeg counts it. */
const QUALITY: SeverityTable = {
  cifar: [[80], [65], [58], [50], [40]],
  tinyImageNet: [[65], [58], [50], [40], [25]],
  imageNet: [[25], [18], [15], [10], [7]],
};

/**
 * Saved as JPEG and read again: baseline, colours at half resolution (4:2:0), with libjpeg's tables, rounding and smooth upsampling.
 * Nothing is written: what loses information is applied to the pixels directly, since entropy coding loses none. Pictures of
 * three channels are RGB; the channels of others are grey pictures, one by one. The input is rounded to 8 bits, as a file holds them.
 *
 * @see https://www.w3.org/Graphics/JPEG/itu-t81.pdf ITU-T T.81; https://www.w3.org/Graphics/JPEG/jfif3.pdf JFIF 1.02
 */
export const jpegCompression: Corruption = {
  id: 'jpeg-compression',
  title: 'JPEG compression',
  family: 'digital',
  distort: (picture, severity) =>
    recompressed(picture, Math.round(parametersFor(QUALITY, picture, severity)[0]!)),
};

/** The picture after a round trip at `quality`, 1 to 100; values may leave [0, 1] by rounding. */
export function recompressed(picture: Planes, quality: number): Float32Array {
  const luminance = tableFor(LUMINANCE, quality);
  if (picture.channels === 3) return colour(picture, luminance, tableFor(CHROMINANCE, quality));
  const { height, width } = picture;
  return eachPlane(picture, (plane) => {
    const bytes = Int32Array.from(plane, (value) => Math.round(255 * value));
    return Float32Array.from(quantised({ height, width, values: bytes }, luminance).values, fraction);
  });
}

function colour(
  { height, width, values }: Planes,
  luminance: Int32Array,
  chrominance: Int32Array,
): Float32Array {
  const size = height * width;
  const [luma, blue, red] = [new Int32Array(size), new Int32Array(size), new Int32Array(size)];
  for (let i = 0; i < size; i++) {
    const r = Math.round(255 * values[i]!);
    const g = Math.round(255 * values[i + size]!);
    const b = Math.round(255 * values[i + 2 * size]!);
    // JFIF's YCbCr.
    luma[i] = Math.round(0.299 * r + 0.587 * g + 0.114 * b);
    blue[i] = Math.round(-0.168735892 * r - 0.331264108 * g + 0.5 * b + 128);
    red[i] = Math.round(0.5 * r - 0.418687589 * g - 0.081312411 * b + 128);
  }
  const y = quantised({ height, width, values: luma }, luminance).values;
  const chroma = (full: Int32Array) =>
    widened(quantised(halved({ height, width, values: full }), chrominance), height, width);
  const cb = chroma(blue);
  const cr = chroma(red);
  const out = new Float32Array(3 * size);
  for (let i = 0; i < size; i++) {
    out[i] = fraction(y[i]! + 1.402 * (cr[i]! - 128));
    out[i + size] = fraction(y[i]! - 0.344136286 * (cb[i]! - 128) - 0.714136286 * (cr[i]! - 128));
    out[i + 2 * size] = fraction(y[i]! + 1.772 * (cb[i]! - 128));
  }
  return out;
}

function fraction(value: number): number {
  return Math.round(value) / 255;
}
