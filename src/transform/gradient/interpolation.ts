import { GlacisError } from '../../core/error.ts';

/** How `Resize` reads one axis; names and defaults as in ONNX. */
export interface Interpolation {
  readonly mode: string;
  readonly coordinates: string;
  readonly nearest: string;
  readonly cubicA: number;
  readonly excludeOutside: boolean;
  readonly antialias: boolean;
  readonly scale: number;
  /** The region of `tf_crop_and_resize`, as fractions of the axis. */
  readonly roi: readonly [number, number];
}

/** What one output position takes of the input: positions and weights; none where it is an extrapolated constant. */
export type Row = readonly (readonly [at: number, weight: number])[];

const f = Math.fround;

/**
 * The rows of the matrix by which `Resize` maps an axis of `size` to `out` elements, from the formulas of the ONNX
 * specification; coordinates in float32, as ONNX Runtime computes them, because rounding decides the nearest element.
 * Errors: `gradient/unsupported` for an unknown mode.
 */
export function interpolationRows(size: number, out: number, how: Interpolation): Row[] {
  // At scale 1 the runtime copies the axis, whatever the coordinate transformation says.
  if (how.scale === 1 || (how.antialias && size === out))
    return Array.from({ length: out }, (_, o) => [[o, 1]]);
  return Array.from({ length: out }, (_, o) => {
    const at = coordinate(o, size, out, how);
    if (how.coordinates === 'tf_crop_and_resize' && (at < 0 || at > size - 1)) return [];
    if (how.mode === 'nearest') return [[clamp(nearest(at, how.nearest), size), 1]];
    if (how.mode !== 'linear' && how.mode !== 'cubic') unknown('mode nearest, linear or cubic', how.mode);
    if (how.antialias) return antialiased(at, size, how);
    if (how.mode === 'cubic') return cubic(at, size, how);
    const low = Math.floor(clamp(at, size));
    const rest = clamp(at, size) - low;
    return merged(
      [
        [low, 1 - rest],
        [low + 1, rest],
      ],
      size,
    );
  });
}

function unknown(expected: string, got: string): never {
  throw new GlacisError('gradient/unsupported', `expected ${expected}, got ${got}`);
}

const clamp = (at: number, size: number) => Math.min(Math.max(at, 0), size - 1);

/** Where in the input output position `o` lies. */
function coordinate(
  o: number,
  size: number,
  out: number,
  { coordinates, scale, roi: [start, end] }: Interpolation,
): number {
  const centre = () => f(f(f(o + 0.5) / scale) - 0.5);
  switch (coordinates) {
    case 'half_pixel':
      return centre();
    case 'half_pixel_symmetric': {
      const shrink = f(out / f(scale * size));
      return f(f(f(size / 2) * f(1 - shrink)) + centre());
    }
    case 'pytorch_half_pixel':
      return out > 1 ? centre() : 0;
    case 'tf_half_pixel_for_nn':
      return f(f(o + 0.5) / scale);
    case 'asymmetric':
      return f(o / scale);
    case 'align_corners':
      return out === 1 ? 0 : f(f(o * (size - 1)) / (out - 1));
    case 'tf_crop_and_resize':
      return out > 1
        ? f(f(start * (size - 1)) + f(f(f(o * f(end - start)) * (size - 1)) / (out - 1)))
        : f(0.5 * f(start + end) * (size - 1));
    default:
      return unknown('a coordinate_transformation_mode of ONNX', coordinates);
  }
}

function nearest(at: number, mode: string): number {
  const low = Math.floor(at);
  switch (mode) {
    case 'round_prefer_floor':
      return at - low <= 0.5 ? low : low + 1;
    case 'round_prefer_ceil':
      return at - low < 0.5 ? low : low + 1;
    case 'floor':
      return low;
    case 'ceil':
      return Math.ceil(at);
    default:
      return unknown('nearest_mode round_prefer_floor, round_prefer_ceil, floor or ceil', mode);
  }
}

/** Keys' cubic convolution kernel. */
function cubicKernel(x: number, a: number): number {
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
}

function cubic(at: number, size: number, { cubicA, excludeOutside }: Interpolation): Row {
  const low = Math.floor(at);
  const taps = [-1, 0, 1, 2].map((k) => [low + k, cubicKernel(at - (low + k), cubicA)] as const);
  return excludeOutside ? normalised(taps.filter(([i]) => i >= 0 && i < size)) : merged(taps, size);
}

/** The kernel stretched over what one output element covers, as Pillow does. */
function antialiased(at: number, size: number, { mode, scale, cubicA, excludeOutside }: Interpolation): Row {
  const stretch = Math.max(1, 1 / scale);
  const support = (mode === 'cubic' ? 2 : 1) * stretch;
  const kernel = (x: number) => (mode === 'cubic' ? cubicKernel(x, cubicA) : Math.max(0, 1 - Math.abs(x)));
  const taps: [number, number][] = [];
  for (let i = Math.floor(at + 1 - support); i < Math.floor(at + 1 + support); i++) {
    if (!excludeOutside || (i >= 0 && i < size)) taps.push([i, kernel((i - at) / stretch)]);
  }
  return merged(normalised(taps), size);
}

function normalised(taps: Row): Row {
  const total = taps.reduce((sum, [, w]) => sum + w, 0);
  return total === 0 ? taps : taps.map(([i, w]) => [i, w / total]);
}

/** Taps beyond the border count for the element at the border. */
function merged(taps: Row, size: number): Row {
  const weights = new Map<number, number>();
  for (const [i, w] of taps) if (w !== 0) weights.set(clamp(i, size), (weights.get(clamp(i, size)) ?? 0) + w);
  return [...weights];
}
