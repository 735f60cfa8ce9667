import { l1Threshold } from './l1.ts';
import type { Region } from './region.ts';
import { missing, slackOf } from './relation.ts';

/** Most sweeps over all conditions. */
const SWEEPS = 200;

/**
 * A point of the region near `wish` by Dykstra's projections (Boyle & Dykstra 1986; for linear relations Hildreth's, which keep one
 * number each), in float64. Where it has not arrived after 200 sweeps it is near the region. Elements that are fixed stay.
 * Sound because every condition is convex; where there are only limits and one ball, the first sweep arrives.
 * L0 balls are the caller's: it fixes elements.
 */
export function relax(wish: ArrayLike<number>, region: Region): Float64Array {
  const { low, high, relations, clean, ball, cost } = region;
  const y = Float64Array.from(wish);
  const free: number[] = [];
  for (let i = 0; i < y.length; i++) {
    if (low[i] === high[i]) y[i] = low[i]!;
    else free.push(i);
  }
  const isFree = new Uint8Array(y.length);
  for (const i of free) isFree[i] = 1;
  const norms = relations.map(({ at, by }) =>
    at.reduce((sum, i, k) => sum + (isFree[i] ? by[k]! ** 2 : 0), 0),
  );
  const multipliers = new Float64Array(relations.length);
  const shrinks = [
    ...(ball.norm === 'l2' ? [() => shrinkL2(y, free, region)] : []),
    ...(ball.norm === 'l1' ? [() => shrinkL1(y, free, clean, ball.eps)] : []),
    ...(cost ? [() => shrinkL1(y, free, clean, cost.budget, cost.weights)] : []),
  ];
  const corrections = [clampTo(y, free, low, high), ...shrinks].map((project) => ({
    project,
    kept: new Float64Array(free.length),
  }));
  /** Moves `y` along relation `r`'s free elements. */
  const along = (r: number, by: number) => {
    const relation = relations[r]!;
    for (const [k, i] of relation.at.entries()) if (isFree[i]) y[i] = y[i]! + by * relation.by[k]!;
  };
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const [r, relation] of relations.entries()) {
      if (norms[r] === 0) continue;
      if (multipliers[r] !== 0) along(r, -multipliers[r]!);
      multipliers[r] = missing(relation, y) / norms[r]!;
      if (multipliers[r] !== 0) along(r, multipliers[r]!);
    }
    for (const { project, kept } of corrections) {
      for (const [k, i] of free.entries()) {
        y[i] = y[i]! + kept[k]!;
        kept[k] = y[i]!;
      }
      project();
      for (const [k, i] of free.entries()) kept[k] = kept[k]! - y[i]!;
    }
    // Limits, ball and costs hold now: each of the later ones moves towards the clean row, which stays within the earlier.
    if (relations.every((relation) => Math.abs(missing(relation, y)) <= 0.5 * slackOf(relation, y, clean)))
      break;
  }
  return y;
}

function clampTo(y: Float64Array, free: readonly number[], low: Float64Array, high: Float64Array) {
  return () => {
    for (const i of free) y[i] = Math.min(high[i]!, Math.max(low[i]!, y[i]!));
  };
}

/** Shrinks the change of the free elements to what the fixed ones leave of the radius. */
function shrinkL2(y: Float64Array, free: readonly number[], { clean, ball }: Region): void {
  const all = squared(y, clean);
  if (all <= ball.eps ** 2) return;
  const moving = free.reduce((sum, i) => sum + (y[i]! - clean[i]!) ** 2, 0);
  const left = Math.max(0, ball.eps ** 2 - (all - moving));
  const scale = moving > 0 ? Math.min(1, Math.sqrt(left / moving)) : 0;
  for (const i of free) y[i] = clean[i]! + scale * (y[i]! - clean[i]!);
}

function shrinkL1(
  y: Float64Array,
  free: readonly number[],
  clean: Float32Array,
  radius: number,
  weights?: Float64Array,
): void {
  const isFree = new Set(free);
  let used = 0;
  for (let i = 0; i < y.length; i++)
    if (!isFree.has(i)) used += (weights ? weights[i]! : 1) * Math.abs(y[i]! - clean[i]!);
  const d = free.map((i) => y[i]! - clean[i]!);
  const w = weights && free.map((i) => weights[i]!);
  const theta = l1Threshold(d, Math.max(0, radius - used), w);
  if (theta === 0) return;
  for (const [k, i] of free.entries())
    y[i] = clean[i]! + Math.sign(d[k]!) * Math.max(0, Math.abs(d[k]!) - theta * (w ? w[k]! : 1));
}

function squared(y: Float64Array, clean: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < y.length; i++) sum += (y[i]! - clean[i]!) ** 2;
  return sum;
}
