import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { transportDistance } from './distance.ts';
import { minQueue } from './min-queue.ts';
import { reachOf } from './reach.ts';

const GRAIN = 1e-12;
const rng = randomFrom(9, 'transport');

/** The least cost by trying every way to move `units` of equal light, each within reach. */
function byTrying(from: number[], to: number[], width: number, radius: number): number {
  const ends = to.flatMap((count, at) => new Array<number>(count).fill(at));
  const starts = from.flatMap((count, at) => new Array<number>(count).fill(at));
  let best = Number.POSITIVE_INFINITY;
  const taken = new Array<boolean>(ends.length).fill(false);
  const place = (at: number) => [Math.floor(at / width), at % width] as const;
  const go = (unit: number, cost: number) => {
    if (cost >= best) return;
    if (unit === starts.length) {
      best = cost;
      return;
    }
    const tried = new Set<number>();
    for (const [e, end] of ends.entries()) {
      if (taken[e] || tried.has(end)) continue;
      tried.add(end);
      const [[y, x], [v, u]] = [place(starts[unit]!), place(end)];
      if (Math.max(Math.abs(y - v), Math.abs(x - u)) > radius) continue;
      taken[e] = true;
      go(unit + 1, cost + Math.hypot(y - v, x - u));
      taken[e] = false;
    }
  };
  go(0, 0);
  return best;
}

describe('the transport distance', () => {
  it('is the least over all ways, also where light must be pushed aside', () => {
    const [height, width] = [3, 4];
    let pushed = 0;
    for (let trial = 0; trial < 60; trial++) {
      const radius = 1 + (trial % 2);
      const units = (count: number) => {
        const plane = new Array<number>(height * width).fill(0);
        for (let u = 0; u < count; u++) plane[rng.integer(plane.length)]!++;
        return plane;
      };
      const [from, to] = [units(6), units(6)];
      const least = byTrying(from, to, width, radius);
      const { cost, unmet } = transportDistance(
        Float64Array.from(from),
        Float64Array.from(to),
        { height, width },
        reachOf(2 * radius + 1),
        GRAIN,
      );
      if (least === Number.POSITIVE_INFINITY) expect(unmet).toBeGreaterThan(0.99);
      else {
        expect(unmet).toBe(0);
        expect(cost).toBeCloseTo(least, 9);
        // More than a straight way can cost: two must share the distance.
        if (least > 2 * radius * Math.SQRT2) pushed++;
      }
    }
    expect(pushed).toBeGreaterThan(3);
  });

  it('of a shifted picture is the shift, times its light', () => {
    const [height, width] = [9, 11];
    const from = new Float64Array(height * width);
    const to = new Float64Array(height * width);
    let light = 0;
    for (let y = 2; y < 7; y++)
      for (let x = 2; x < 8; x++) {
        const v = rng.uniform();
        light += v;
        from[y * width + x] = v;
        to[(y + 1) * width + x + 2] = v;
      }
    const { cost, unmet } = transportDistance(from, to, { height, width }, reachOf(5), GRAIN);
    expect(unmet).toBe(0);
    expect(cost).toBeCloseTo(light * Math.hypot(1, 2), 9);
  });

  it('says what light appears, disappears or would have to go too far', () => {
    const dims = { height: 1, width: 5 };
    const at = (...values: number[]) => Float64Array.from(values);
    const reach = reachOf(3);
    expect(transportDistance(at(1, 0, 0, 0, 0), at(0, 1, 0, 0, 0), dims, reach, GRAIN)).toEqual({
      cost: 1,
      unmet: 0,
    });
    expect(transportDistance(at(1, 0, 0, 0, 0), at(0, 0, 1, 0, 0), dims, reach, GRAIN).unmet).toBe(1);
    expect(transportDistance(at(1, 0, 0, 0, 0), at(1, 0, 0, 0, 0.5), dims, reach, GRAIN).unmet).toBe(0.5);
    expect(transportDistance(at(1, 0, 0, 0, 0), at(0.25, 0, 0, 0, 0), dims, reach, GRAIN).unmet).toBe(0.75);
    // Each moves by one: the first may not take the place of the third at once.
    expect(transportDistance(at(1, 1, 0, 0, 0), at(0, 1, 1, 0, 0), dims, reach, GRAIN).cost).toBe(2);
  });
});

it('a queue gives the least rank first', () => {
  const queue = minQueue();
  const ranks = Array.from({ length: 200 }, () => rng.integer(50));
  for (const [item, rank] of ranks.entries()) queue.add(item, rank);
  const out: number[] = [];
  for (let item = queue.next(); item !== undefined; item = queue.next()) out.push(ranks[item]!);
  expect(out).toEqual(ranks.toSorted((a, b) => a - b));
  queue.add(3, 1);
  queue.clear();
  expect(queue.next()).toBeUndefined();
});
