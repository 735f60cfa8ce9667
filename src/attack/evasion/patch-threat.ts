import type { Rng } from '../../core/random.ts';
import type { ImageDims } from '../../threat/image-dims.ts';
import { differsFrom } from '../../threat/made-again.ts';
import type { OtherThreat } from '../../threat/other-threat.ts';
import { type Patch, type Placement, placed } from '../../threat/picture/placement.ts';

/** What a patch may be and how it may lie. */
export interface PatchLimits {
  readonly shape: Patch['shape'];
  /** The largest side, or diameter, that it appears with, as a share of the picture's shorter side. */
  readonly size: number;
  /** The smallest one, as a share of the largest. */
  readonly smallest: number;
  /** Largest angle in degrees, either way. */
  readonly rotation: number;
  /** By how much its light varies either way, as a share of the range. */
  readonly brightness: number;
  /** By how much its contrast varies either way: 0.1 stands for 0.9 to 1.1 times. */
  readonly contrast: number;
}

/** Parameters of an example; `share` is not checked: of all placements that were tried, how many reached the goal. */
const PARAMETERS = ['x', 'y', 'size', 'angle', 'contrast', 'brightness', 'share'] as const;

/** Texels along each side of a patch: one for each pixel where it is largest. */
export function texelsAlong({ height, width }: ImageDims, { size }: Pick<PatchLimits, 'size'>): number {
  return Math.max(2, Math.ceil(size * Math.min(height, width)));
}

/** Draws where a patch lies, wholly in the picture, and in which light: the parameters of an example, with a share of 0. */
export function drawnPlacement(limits: PatchLimits, { height, width }: ImageDims, rng: Rng): Float32Array {
  const { smallest, rotation, contrast, brightness } = limits;
  const either = (most: number) => most * (2 * rng.uniform() - 1);
  const size = limits.size * Math.min(height, width) * (smallest + (1 - smallest) * rng.uniform());
  return Float32Array.of(
    (width - 1) / 2 + either((width - size) / 2),
    (height - 1) / 2 + either((height - size) / 2),
    size,
    either(rotation),
    1 + either(contrast),
    either(brightness),
    0,
  );
}

/** The placement that an example's parameters stand for. */
export function placementOf(parameters: Float32Array): Placement {
  const [x, y, size, angle, contrast, brightness] = parameters as unknown as readonly number[];
  return { x: x!, y: y!, size: size!, angle: angle!, contrast: contrast!, brightness: brightness! };
}

/** Why a placement is not one that {@link drawnPlacement} gives, up to rounding; NaN never is. */
function misplaced(
  limits: PatchLimits,
  { height, width }: ImageDims,
  { x, y, size, angle, contrast, brightness }: Placement,
): string | undefined {
  const isNear = (v: number, middle: number, most: number) =>
    Math.abs(v - middle) <= most + 1e-5 * (1 + Math.abs(v));
  const most = limits.size * Math.min(height, width);
  if (!isNear(size, ((1 + limits.smallest) * most) / 2, ((1 - limits.smallest) * most) / 2))
    return 'a patch of another size';
  const isInside =
    isNear(x, (width - 1) / 2, (width - size) / 2) && isNear(y, (height - 1) / 2, (height - size) / 2);
  if (!isInside) return 'a patch outside the picture';
  if (!isNear(angle, 0, limits.rotation)) return 'a patch turned too far';
  const isLit = isNear(contrast, 1, limits.contrast) && isNear(brightness, 0, limits.brightness);
  return isLit ? undefined : 'a patch in another light';
}

/** One patch for all examples, each placed within the limits; checked by placing it again. */
export const patchThreat: OtherThreat<PatchLimits> = {
  id: 'patch',
  parameters: PARAMETERS,
  size: ({ size }) => size,
  describe({ shape, size, smallest, rotation }) {
    const percent = (share: number) => Number((100 * share).toPrecision(3));
    const across = `${smallest < 1 ? `${percent(smallest * size)} to ` : ''}${percent(size)} %`;
    return `one ${shape === 'circle' ? 'round' : 'square'} patch, ${across} of the picture's shorter side across, anywhere, turned by up to ${rotation}°`;
  },
  violation(example) {
    const { x0, image, bounds, options, parameters, shared } = example;
    if (!image) return 'no picture';
    const placement = placementOf(parameters);
    const wrong = misplaced(options, image, placement);
    if (wrong) return wrong;
    if (!shared.every((v) => v >= bounds[0] && v <= bounds[1])) return 'a patch beyond the bounds';
    const patch = { texels: shared, side: texelsAlong(image, options), shape: options.shape };
    const made = new Float32Array(x0.length);
    placed({ image, bounds }, x0, patch, placement, made);
    return differsFrom(made, example);
  },
};
