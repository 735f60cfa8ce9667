import { ceilFloat32, floorFloat32 } from './float32.ts';
import { type Levels, levelNear } from './levels.ts';
import { copyOf, fix, type Region } from './region.ts';
import { missing, type Relation, slackOf } from './relation.ts';
import { relax } from './relax.ts';

/** Shares of the change that are tried: nearer to the clean row, conditions have room for what rounding does. */
const SHARES = [1, 0.9999, 0.99, 0.9, 0.7, 0.4, 0.15];
/** How often all relations are mended in turn. */
const MENDS = 4;

/**
 * Moves `row` to a point of the region, near where it is, with the elements that have `levels` on them, and tells whether `accepts`
 * then holds. In order: a point of the convex region; elements with levels to the nearest, then inward; relations mended by whole
 * steps; the other elements relaxed again; the same nearer to the clean row. `finish` repairs what rounding to float32 did.
 * Cost: one relaxation where nothing has levels and rounding does no harm.
 */
export function settle(
  row: Float32Array,
  region: Region,
  levels: readonly (Levels | undefined)[],
  accepts: () => boolean,
  finish?: (row: Float32Array) => void,
): boolean {
  const { clean, low, high } = region;
  const relaxed = relax(row, region);
  const stepped = Array.from(levels.keys()).filter((i) => levels[i] && low[i] !== high[i]);
  for (const share of SHARES) {
    const y = relaxed.map((v, i) =>
      share === 1 || low[i] === high[i] ? v : clean[i]! + share * (v - clean[i]!),
    );
    for (const inward of stepped.length > 0 ? [false, true] : [false]) {
      write(row, stepped.length > 0 ? onLevels(y, region, levels, stepped, inward) : y, region, stepped);
      finish?.(row);
      if (accepts()) return true;
    }
  }
  return false;
}

/** `y` with the elements `stepped` on their levels and the others relaxed around them. */
function onLevels(
  y: Float64Array,
  region: Region,
  levels: readonly (Levels | undefined)[],
  stepped: readonly number[],
  inward: boolean,
): Float64Array {
  const { clean, low, high } = region;
  const placed = y.slice();
  const near = (i: number, value: number, toClean: boolean) =>
    levelNear(levels[i]!, value, clean[i]!, low[i]!, high[i]!, toClean);
  for (const i of stepped) placed[i] = near(i, y[i]!, inward);
  const movable = new Set(stepped);
  for (let round = 0; round < MENDS; round++) {
    let mended = false;
    for (const relation of region.relations) {
      if (relation.at.some((i) => !movable.has(i) && low[i] !== high[i])) continue;
      mended = mend(relation, placed, clean, movable, near, levels) || mended;
    }
    if (!mended) break;
  }
  if (stepped.length === y.length) return placed;
  const rest = copyOf(region);
  for (const i of stepped) fix(rest, i, placed[i]);
  return relax(placed, rest);
}

/** Lets one element take whole steps so that the relation holds: the one that moves least. Tells whether anything changed. */
function mend(
  relation: Relation,
  x: Float64Array,
  clean: Float32Array,
  movable: ReadonlySet<number>,
  near: (i: number, value: number, toClean: boolean) => number,
  levels: readonly (Levels | undefined)[],
): boolean {
  const lack = missing(relation, x);
  const slack = slackOf(relation, x, clean);
  if (Math.abs(lack) <= slack) return false;
  let best: { readonly i: number; readonly value: number; readonly move: number } | undefined;
  for (const [k, i] of relation.at.entries()) {
    if (!movable.has(i)) continue;
    const size = levels[i]!.step / levels[i]!.std;
    const steps = lack / (relation.by[k]! * size);
    const whole = Math.sign(steps) * Math.ceil(Math.abs(steps) - 1e-6);
    const before = x[i]!;
    const value = near(i, before + whole * size, false);
    x[i] = value;
    const helps = Math.abs(missing(relation, x)) <= slack;
    x[i] = before;
    const move = Math.abs(value - before);
    if (helps && (!best || move < best.move)) best = { i, value, move };
  }
  if (best) x[best.i] = best.value;
  return best !== undefined;
}

/**
 * Rounds to float32 numbers within the region's limits. The elements `stepped` are float32 levels already, which may lie past a limit
 * by the rounding of float32.
 */
function write(row: Float32Array, y: Float64Array, { low, high }: Region, stepped: readonly number[]): void {
  for (let i = 0; i < row.length; i++)
    row[i] = Math.min(floorFloat32(high[i]!), Math.max(ceilFloat32(low[i]!), y[i]!));
  for (const i of stepped) row[i] = y[i]!;
}
