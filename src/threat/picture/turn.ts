import { type ImageDims, pixelAt } from '../image-dims.ts';

/** A rotation about the middle of the picture, counter-clockwise, and a shift to the right and down after it. */
export interface Turn {
  /** In degrees. */
  readonly angle: number;
  /** In pixels. */
  readonly dx: number;
  readonly dy: number;
}

const PER_DEGREE = Math.PI / 180;

/**
 * Visits every pixel of the turned picture: `corners` is where its four source pixels lie (−1 outside), `u` and `v` are how far between
 * them to the right and down it lies, `a` and `b` where it was before the rotation, from the middle.
 */
function eachPixel(
  { height, width }: ImageDims,
  { angle, dx, dy }: Turn,
  visit: (
    y: number,
    x: number,
    left: number,
    top: number,
    u: number,
    v: number,
    a: number,
    b: number,
  ) => void,
): void {
  const cos = Math.cos(angle * PER_DEGREE);
  const sin = Math.sin(angle * PER_DEGREE);
  const middleX = (width - 1) / 2;
  const middleY = (height - 1) / 2;
  for (let y = 0; y < height; y++) {
    const b = y - middleY - dy;
    for (let x = 0; x < width; x++) {
      const a = x - middleX - dx;
      const fromX = cos * a - sin * b + middleX;
      const fromY = sin * a + cos * b + middleY;
      const left = Math.floor(fromX);
      const top = Math.floor(fromY);
      visit(y, x, left, top, fromX - left, fromY - top, a, b);
    }
  }
}

/** Reads a channel's pixels, with `fill` outside. */
function reader(image: ImageDims, values: Float32Array, fill: number) {
  const { height, width } = image;
  return (channel: number, y: number, x: number): number =>
    y >= 0 && y < height && x >= 0 && x < width ? values[pixelAt(image, channel, y, x)]! : fill;
}

/** Turns a picture with bilinear sampling; what comes in from outside is `fill`. Written to `out`; nothing moves for a turn of zeros. */
export function turned(
  image: ImageDims,
  values: Float32Array,
  turn: Turn,
  fill: number,
  out: Float32Array,
): void {
  const at = reader(image, values, fill);
  eachPixel(image, turn, (y, x, left, top, u, v) => {
    for (let channel = 0; channel < image.channels; channel++) {
      const above = lerp(at(channel, top, left), at(channel, top, left + 1), u);
      const below = lerp(at(channel, top + 1, left), at(channel, top + 1, left + 1), u);
      out[pixelAt(image, channel, y, x)] = lerp(above, below, v);
    }
  });
}

/** How {@link turned} changes with the angle, per degree; written to `out`. */
export function turnSlope(
  image: ImageDims,
  values: Float32Array,
  turn: Turn,
  fill: number,
  out: Float32Array,
): void {
  const at = reader(image, values, fill);
  const cos = Math.cos(turn.angle * PER_DEGREE);
  const sin = Math.sin(turn.angle * PER_DEGREE);
  eachPixel(image, turn, (y, x, left, top, u, v, a, b) => {
    const alongX = (-sin * a - cos * b) * PER_DEGREE;
    const alongY = (cos * a - sin * b) * PER_DEGREE;
    for (let channel = 0; channel < image.channels; channel++) {
      const p = at(channel, top, left);
      const q = at(channel, top, left + 1);
      const r = at(channel, top + 1, left);
      const s = at(channel, top + 1, left + 1);
      out[pixelAt(image, channel, y, x)] =
        alongX * lerp(q - p, s - r, v) + alongY * (lerp(r, s, u) - lerp(p, q, u));
    }
  });
}

function lerp(a: number, b: number, share: number): number {
  return a + share * (b - a);
}
