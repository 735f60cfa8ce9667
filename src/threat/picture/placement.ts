import { pixelAt } from '../image-dims.ts';
import { clipped, type Frame, lightChannels } from './frame.ts';

/** A square of texels that is put on a picture, `[light channels, side, side]`, values within the bounds. */
export interface Patch {
  readonly texels: Float32Array;
  /** Texels along each side. */
  readonly side: number;
  readonly shape: 'circle' | 'square';
}

/** Where a patch lies on a picture, and in which light. */
export interface Placement {
  /** Its middle, in pixels from the middle of the picture's first pixel to the right and down. */
  readonly x: number;
  readonly y: number;
  /** Side, or diameter, in pixels. */
  readonly size: number;
  /** In degrees, counter-clockwise. */
  readonly angle: number;
  /** How far from black its values are, as a factor. */
  readonly contrast: number;
  /** What is added to them, as a share of the range. */
  readonly brightness: number;
}

const PER_DEGREE = Math.PI / 180;

/** What one value of a picture gets from a patch. */
interface Covered {
  /** Index of the value in the picture. */
  at: number;
  /** How much of it the patch covers: edges are smooth over one pixel. */
  share: number;
  /** What the patch shows there, not yet cut off at the bounds. */
  lit: number;
  /** The first of the four texels around its middle, and the way to those to the right and below; 0 at the rim. */
  texel: number;
  right: number;
  down: number;
  /** How far between them it lies. */
  u: number;
  v: number;
}

/** Visits every value that the patch covers, with one object that changes. */
function eachCovered(
  { image, bounds: [low, high] }: Frame,
  { texels, side, shape }: Patch,
  { x, y, size, angle, contrast, brightness }: Placement,
  visit: (covered: Covered) => void,
): void {
  const { height, width } = image;
  const light = lightChannels(image);
  const cos = Math.cos(angle * PER_DEGREE);
  const sin = Math.sin(angle * PER_DEGREE);
  const half = size / 2;
  const reach = (shape === 'circle' ? half : half * (Math.abs(cos) + Math.abs(sin))) + 1;
  const lastRow = Math.min(height - 1, Math.floor(y + reach));
  const lastColumn = Math.min(width - 1, Math.floor(x + reach));
  const covered: Covered = { at: 0, share: 0, lit: 0, texel: 0, right: 0, down: 0, u: 0, v: 0 };
  for (let row = Math.max(0, Math.ceil(y - reach)); row <= lastRow; row++)
    for (let column = Math.max(0, Math.ceil(x - reach)); column <= lastColumn; column++) {
      // Where the pixel lies on the patch, from its middle.
      const a = cos * (column - x) - sin * (row - y);
      const b = sin * (column - x) + cos * (row - y);
      covered.share =
        shape === 'circle'
          ? unit(half + 0.5 - Math.hypot(a, b))
          : unit(half + 0.5 - Math.abs(a)) * unit(half + 0.5 - Math.abs(b));
      if (covered.share === 0) continue;
      const across = Math.min(side - 1, Math.max(0, (a / size + 0.5) * side - 0.5));
      const along = Math.min(side - 1, Math.max(0, (b / size + 0.5) * side - 0.5));
      const left = Math.floor(across);
      const top = Math.floor(along);
      covered.right = left < side - 1 ? 1 : 0;
      covered.down = top < side - 1 ? side : 0;
      covered.u = across - left;
      covered.v = along - top;
      for (let channel = 0; channel < light; channel++) {
        const p = (channel * side + top) * side + left;
        const { right, down, u, v } = covered;
        const above = texels[p]! + u * (texels[p + right]! - texels[p]!);
        const below = texels[p + down]! + u * (texels[p + down + right]! - texels[p + down]!);
        covered.texel = p;
        covered.lit = low + brightness * (high - low) + contrast * (above + v * (below - above) - low);
        covered.at = pixelAt(image, channel, row, column);
        visit(covered);
      }
    }
}

function unit(v: number): number {
  return v < 0 ? 0 : v > 1 ? 1 : v;
}

/** Writes the picture `x` with the patch on it to `out`: bilinear, cut off at the bounds; transparency stays as it is. */
export function placed(
  frame: Frame,
  x: Float32Array,
  patch: Patch,
  placement: Placement,
  out: Float32Array,
): void {
  out.set(x);
  eachCovered(frame, patch, placement, ({ at, share, lit }) => {
    out[at] = x[at]! + share * (clipped(lit, frame.bounds) - x[at]!);
  });
}

/**
 * Adds to `into` what a `gradient` with respect to the picture that {@link placed} makes says about the texels: the exact transpose of
 * its derivative; 0 where a value is cut off.
 */
export function placedBack(
  frame: Frame,
  patch: Patch,
  placement: Placement,
  gradient: Float32Array,
  into: Float32Array,
): void {
  eachCovered(frame, patch, placement, ({ at, share, lit, texel, right, down, u, v }) => {
    if (clipped(lit, frame.bounds) !== lit) return;
    const g = share * placement.contrast * gradient[at]!;
    into[texel]! += (1 - u) * (1 - v) * g;
    into[texel + right]! += u * (1 - v) * g;
    into[texel + down]! += (1 - u) * v * g;
    into[texel + down + right]! += u * v * g;
  });
}
