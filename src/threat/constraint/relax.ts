import { l1Threshold } from './l1.ts';
import type { Region } from './region.ts';
import { missing, slackOf } from './relation.ts';

/** Most sweeps over all conditions. */
const SWEEPS = 200;

/** Moves the free elements of `y` to the nearest point of a convex set. */
type Projection = (y: Float64Array) => void;

/**
 * A point near `wish` by Dykstra's projections (Boyle & Dykstra 1986; for linear relations Hildreth's, which keep one number each), in
 * float64. It lies in limits, ball and costs, as far as fixed elements leave room, and satisfies the relations unless 200 sweeps did not
 * arrive there. Fixed elements stay. L0 balls are the caller's: it fixes elements.
 * Sound because limits, ball and costs, projected onto in this order, all hold: the later ones move towards the clean row, which lies in
 * the earlier ones. So without relations one sweep is enough.
 */
export function relax(wish: ArrayLike<number>, region: Region): Float64Array {
  const { low, high, relations, clean } = region;
  const y = Float64Array.from(wish, (v, i) => (low[i] === high[i] ? low[i]! : v));
  const free = Array.from(y.keys()).filter((i) => low[i] !== high[i]);
  const isFree = new Uint8Array(y.length);
  for (const i of free) isFree[i] = 1;
  const norms = relations.map(({ at, by }) =>
    at.reduce((sum, i, k) => sum + (isFree[i] ? by[k]! ** 2 : 0), 0),
  );
  const multipliers = new Float64Array(relations.length);
  const sets = projections(y, free, region).map((project) => ({
    project,
    correction: new Float64Array(free.length),
  }));
  /** Moves `y` along the free elements of relation `r`. */
  const along = (r: number, size: number) => {
    const { at, by } = relations[r]!;
    for (let k = 0; k < at.length; k++) if (isFree[at[k]!]) y[at[k]!] = y[at[k]!]! + size * by[k]!;
  };
  const point = y.slice();
  for (let sweep = 1; ; sweep++) {
    for (let r = 0; r < relations.length; r++) {
      if (norms[r] === 0) continue;
      if (multipliers[r] !== 0) along(r, -multipliers[r]!);
      multipliers[r] = missing(relations[r]!, y) / norms[r]!;
      if (multipliers[r] !== 0) along(r, multipliers[r]!);
    }
    point.set(y);
    for (const { project } of sets) project(point);
    const holds = relations.every(
      (relation) => Math.abs(missing(relation, point)) <= 0.5 * slackOf(relation, point, clean),
    );
    if (holds || sweep === SWEEPS) return point;
    for (const { project, correction } of sets) {
      for (let k = 0; k < free.length; k++) {
        y[free[k]!] = y[free[k]!]! + correction[k]!;
        correction[k] = y[free[k]!]!;
      }
      project(y);
      for (let k = 0; k < free.length; k++) correction[k] = correction[k]! - y[free[k]!]!;
    }
  }
}

/** Limits, ball and costs, in this order, for points whose fixed elements are those of `y`. */
function projections(y: Float64Array, free: readonly number[], region: Region): Projection[] {
  const { clean, low, high, ball, cost } = region;
  /** What the fixed elements use of a radius. */
  const used = (size: (d: number, i: number) => number) =>
    y.reduce((sum, v, i) => sum + (low[i] === high[i] ? size(Math.abs(v - clean[i]!), i) : 0), 0);
  const limits: Projection = (x) => {
    for (const i of free) x[i] = Math.min(high[i]!, Math.max(low[i]!, x[i]!));
  };
  const l2 =
    (left: number): Projection =>
    (x) => {
      const moving = free.reduce((sum, i) => sum + (x[i]! - clean[i]!) ** 2, 0);
      if (moving <= left) return;
      const scale = Math.sqrt(Math.max(0, left) / moving);
      for (const i of free) x[i] = clean[i]! + scale * (x[i]! - clean[i]!);
    };
  const l1 = (left: number, weights?: Float64Array): Projection => {
    const w = weights && free.map((i) => weights[i]!);
    return (x) => {
      const d = free.map((i) => x[i]! - clean[i]!);
      const theta = l1Threshold(d, Math.max(0, left), w);
      if (theta === 0) return;
      for (const [k, i] of free.entries())
        x[i] = clean[i]! + Math.sign(d[k]!) * Math.max(0, Math.abs(d[k]!) - theta * (w ? w[k]! : 1));
    };
  };
  return [
    limits,
    ...(ball.norm === 'l2' ? [l2(ball.eps ** 2 - used((d) => d * d))] : []),
    ...(ball.norm === 'l1' ? [l1(ball.eps - used((d) => d))] : []),
    ...(cost ? [l1(cost.budget - used((d, i) => cost.weights[i]! * d), cost.weights)] : []),
  ];
}
