import { GlacisError } from '../core/error.ts';
import { elementCount } from '../onnx/tensor.ts';

/** How one stored sample becomes one sample of the model's input. */
export interface LayoutPlan {
  /** Axes of one sample as the model takes it. */
  readonly shape: readonly number[];
  /** How the channel axis of a three-axis sample moves; `none` keeps the order of the values. */
  readonly move: 'none' | 'last-to-first' | 'first-to-last';
  /** Axis of `shape` that holds the channels, where there is one. */
  readonly channelAxis?: number;
  /** What was done or chosen, in plain sentences. */
  readonly notes: readonly string[];
}

/** Whether the samples are stored channels first (`nchw`) or last (`nhwc`); `auto` tries both. */
export type StoredLayout = 'nchw' | 'nhwc' | 'auto';

/**
 * Finds how samples of `stored` shape fit a model input of `wanted` shape (both without the batch axis; `null` fits any
 * size). Tried in this order: as stored or with the channel axis moved; a channel axis of 1 added or dropped; flattened;
 * a flat sample given the model's axes. Where both channel orders fit, a note says which was taken and how to override it.
 * Errors: `data/mismatch` when nothing fits.
 */
export function planLayout(
  stored: readonly number[],
  wanted: readonly (number | null)[],
  layout: StoredLayout,
  knownHwc: boolean,
  where: string,
): LayoutPlan {
  const plan =
    stored.length === wanted.length ? sameRank(stored, wanted, layout, knownHwc) : otherRank(stored, wanted);
  if (plan) return plan;
  const advice =
    stored.length === 3 && wanted.length === 3
      ? 'set imageSize or channels for a folder of images, resize the data, or check that the data belongs to this model'
      : 'reshape the data, or check that it belongs to this model';
  throw new GlacisError(
    'data/mismatch',
    `${where}: expected samples that fit the model's input [${wanted.map((size) => size ?? '?').join(', ')}], got [${stored.join(', ')}]` +
      `${layout === 'auto' ? '' : ` read as ${layout}`}; ${advice}`,
  );
}

function sameRank(
  stored: readonly number[],
  wanted: readonly (number | null)[],
  layout: StoredLayout,
  knownHwc: boolean,
): LayoutPlan | undefined {
  const asStored = fits(stored, wanted);
  if (stored.length !== 3) return asStored ? { shape: stored, move: 'none', notes: [] } : undefined;
  const [a, b, c] = stored as [number, number, number];
  const storedHwc = layout === 'nhwc' || (layout === 'auto' && knownHwc);
  const looksHwc = storedHwc || (layout === 'auto' && isChannels(c) && !isChannels(a));
  const toFirst = layout !== 'nchw' && fits([c, a, b], wanted);
  const toLast = !storedHwc && fits([b, c, a], wanted);
  const keep = (...notes: string[]): LayoutPlan => ({
    shape: stored,
    move: 'none',
    channelAxis: looksHwc ? 2 : 0,
    notes,
  });
  const first = (...notes: string[]): LayoutPlan => ({
    shape: [c, a, b],
    move: 'last-to-first',
    channelAxis: 0,
    notes,
  });
  const moved = 'channel axis moved from last to first';
  if (asStored && toFirst) {
    // ONNX's convention is channels first, so samples with channels last are moved where the model leaves it open.
    if (looksHwc) return first(`${moved}, though the order as stored fits too; layout nchw keeps it`);
    return keep(
      'taken as stored (channels first), though channels last would fit too; layout nhwc moves them',
    );
  }
  if (asStored) return keep();
  if (toFirst) return first(moved);
  if (!toLast) return undefined;
  return {
    shape: [b, c, a],
    move: 'first-to-last',
    channelAxis: 2,
    notes: ['channel axis moved from first to last'],
  };
}

function otherRank(stored: readonly number[], wanted: readonly (number | null)[]): LayoutPlan | undefined {
  const size = elementCount(stored);
  if (stored.length === 2 && wanted.length === 3) {
    const [height, width] = stored as [number, number];
    const first = [1, height, width];
    const last = [height, width, 1];
    const open = fits(first, wanted) && fits(last, wanted);
    if (fits(first, wanted)) {
      return {
        shape: first,
        move: 'none',
        channelAxis: 0,
        notes: [`channel axis of 1 added in front${open ? ' (the model leaves its place open)' : ''}`],
      };
    }
    if (fits(last, wanted))
      return { shape: last, move: 'none', channelAxis: 2, notes: ['channel axis of 1 added at the end'] };
  }
  if (stored.length === 3 && wanted.length === 2) {
    const drop = [0, 2].find((axis) => stored[axis] === 1 && fits(stored.toSpliced(axis, 1), wanted));
    if (drop !== undefined)
      return { shape: stored.toSpliced(drop, 1), move: 'none', notes: ['channel axis of 1 dropped'] };
  }
  if (wanted.length === 1 && stored.length > 1 && fits([size], wanted)) {
    return {
      shape: [size],
      move: 'none',
      notes: [`samples [${stored.join(', ')}] flattened to [${size}] in stored order`],
    };
  }
  const fixed = wanted.every((axis) => axis !== null) ? (wanted as readonly number[]) : undefined;
  if (stored.length === 1 && fixed && elementCount(fixed) === size) {
    return {
      shape: fixed,
      move: 'none',
      ...(fixed.length === 3 && { channelAxis: !isChannels(fixed[0]) && isChannels(fixed[2]) ? 2 : 0 }),
      notes: [`flat samples of ${size} values read as [${fixed.join(', ')}], last axis fastest`],
    };
  }
  return undefined;
}

function fits(shape: readonly number[], wanted: readonly (number | null)[]): boolean {
  return (
    shape.length === wanted.length &&
    shape.every((size, axis) => wanted[axis] === null || wanted[axis] === size)
  );
}

/** Whether an axis of this size may hold the channels of an image: grey, RGB, or RGB with transparency. */
export function isChannels(size: number | undefined): boolean {
  return size === 1 || size === 3 || size === 4;
}

/**
 * Applies a plan's move to `count` samples, row-major: channels last `[h, w, c]` to first `[c, h, w]`, or back.
 * With `none` the input itself is returned.
 */
export function moveChannels(values: Float32Array, count: number, plan: LayoutPlan): Float32Array {
  if (plan.move === 'none') return values;
  const [x, y, z] = plan.shape as [number, number, number];
  // Both moves transpose a matrix: [pixels, channels] to [channels, pixels], or back.
  const [rows, columns] = plan.move === 'last-to-first' ? [y * z, x] : [z, x * y];
  const size = rows * columns;
  const out = new Float32Array(values.length);
  for (let sample = 0; sample < count; sample++) {
    const base = sample * size;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++)
        out[base + column * rows + row] = values[base + row * columns + column]!;
    }
  }
  return out;
}
