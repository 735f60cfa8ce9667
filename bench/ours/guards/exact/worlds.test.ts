import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../../../src/core/random.ts';
import { rowConstraintFrom } from '../../../../src/threat/constraint/from-file.ts';
import { barsWorld } from './bars.ts';
import { creditWorld } from './credit.ts';
import { FROZEN } from './frozen.ts';
import { streamOf, windowAt } from './market.ts';
import { packed, rangeOf, spreadsOf, type World } from './world.ts';

/** Why rows of a world cannot be, by its own file. */
function refusals(world: World, rows: readonly ArrayLike<number>[], limit?: number) {
  const file = world.file(world.rows.slice(0, 500), limit);
  const text = JSON.stringify({ schema: 'glacis.constraints/1', constraints: [file] });
  const constraint = rowConstraintFrom(text, 'c.json', { shape: world.dims });
  const size = world.mean.length;
  const x = packed(world, rows);
  return rows.map((_, i) => constraint.impossible!(x, i * size, size));
}

describe.each([
  ['credit applications', creditWorld('development')],
  ['bars', barsWorld('development')],
])('%s that are made up', (_, world) => {
  const some = world.rows.slice(0, 500);

  it('keep the rules of their own file, as the network sees them', () => {
    expect(refusals(world, some).filter((why) => why !== undefined)).toEqual([]);
  });

  it('are refused by ranges exactly where they go farther than the limit', () => {
    const score = world.spreadOf(some);
    const scores = some.map(score);
    const limit = scores.toSorted((a, b) => a - b)[450]!;
    const refused = refusals(world, some, limit).map((why) => why !== undefined);
    expect(refused).toEqual(scores.map((each) => each > limit));
  });

  it('has accidents that change a row', () => {
    const rng = randomFrom(1, 'test');
    for (const [name, accident] of Object.entries(world.accidents))
      expect(Array.from(accident(some[0]!, rng, some[1]!)), name).not.toEqual(Array.from(some[0]!));
  });
});

describe('a spread', () => {
  it('counts ranges from the middle, wider where the column is wider, and keeps what is known', () => {
    const rows = Array.from({ length: 101 }, (_, i) => Float64Array.of(i < 50 ? i : 50 + 3 * (i - 50)));
    const [spread] = spreadsOf(rows, [0]);
    expect(spread).toEqual({ middle: 50, below: 40, above: 120 });
    expect(rangeOf(spread!, 2)).toEqual({ min: -30, max: 290 });
    expect(rangeOf(spread!, 2, { min: 0, max: 100 })).toEqual({ min: 0, max: 100 });
  });
});

describe('a simulated feed', () => {
  const stream = streamOf('p', 200, randomFrom(1, 'feed'));

  it('arrives in order, after it was taken but for what clocks are off', () => {
    for (let t = 1; t < 200; t++) {
      expect(stream.arrives[t]).toBeGreaterThanOrEqual(stream.arrives[t - 1]!);
      expect(stream.arrives[t]! - stream.taken[t]!).toBeGreaterThan(-FROZEN.feed.clock);
    }
  });

  it('is shown as steps about the mean of the second source, its newest reading replaced where others are given', () => {
    const window = windowAt(stream, 100);
    expect(window).toHaveLength(FROZEN.feed.window);
    const scaled = windowAt({ a: stream.a.map((v) => 7 * v), b: stream.b.map((v) => 7 * v) }, 100);
    for (const [i, v] of window.entries()) expect(scaled[i]).toBeCloseTo(v, 3);
    const moved = windowAt(stream, 100, [stream.a[100]! * (1 + 3 * FROZEN.feed.step), stream.b[100]!]);
    expect(moved.at(-1)! - window.at(-1)!).toBeCloseTo(3, 1);
    expect(moved.slice(0, -1)).toEqual(window.slice(0, -1));
  });
});
