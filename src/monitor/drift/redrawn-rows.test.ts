import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { redrawRows } from './redrawn-rows.ts';
import type { Rows } from './rows.ts';

const rng = () => randomFrom(3, 'redrawn');
/** A window of runs: of each the caller and how many rows; the value of a row is the number of its run. */
function windowOf(runs: readonly (readonly [caller: string, n: number])[], first = 0): Rows {
  const rows = runs.flatMap(([caller, n], run) =>
    Array.from({ length: n }, (_, i) => ({ caller, run: first + run, at: 60_000 * run + 1000 * i })),
  );
  return {
    ...{ n: rows.length, width: 1, values: Float32Array.from(rows, ({ run }) => run) },
    principals: rows.map(({ caller }) => caller),
    decisions: rows.map((_, i) => `${first}-${i}`),
    at: Float64Array.from(rows, ({ at }) => at),
  };
}
const countOf = <T>(list: Iterable<T>) => {
  const counts = new Map<T, number>();
  for (const each of list) counts.set(each, (counts.get(each) ?? 0) + 1);
  return counts;
};

describe('rows drawn again', () => {
  it('keep together what a caller sent in a window, at its place in it', () => {
    // In each window one client sends 20 rows at once, in the middle.
    const windows = Array.from({ length: 30 }, (_, w) => {
      const single = (k: number) => [`client ${(7 * w + k) % 40}`, 1] as const;
      const burst = [`client ${(7 * w + 39) % 40}`, 20] as const;
      return windowOf(
        [
          ...Array.from({ length: 15 }, (_, k) => single(k)),
          burst,
          ...Array.from({ length: 15 }, (_, k) => single(15 + k)),
        ],
        100 * w,
      );
    });
    const drawn = redrawRows(windows, 50, rng());
    let bursts = 0;
    for (let i = 0; i < 40; i++) {
      const { n, values } = drawn.window();
      expect(n).toBe(50);
      for (const [run, count] of countOf(values))
        if (count > 10) {
          bursts++;
          const places = Array.from(values.keys()).filter((k) => values[k] === run);
          expect(places[0]).toBeGreaterThan(2);
          expect(places.at(-1)).toBeLessThan(48);
        }
    }
    // As many as in calm windows, as far as chance goes.
    expect(bursts).toBeGreaterThan(20);
    expect(bursts).toBeLessThan(80);
  });

  it('leave a caller who is most of the traffic the share that it has', () => {
    const windows = Array.from({ length: 30 }, (_, w) =>
      windowOf(
        Array.from({ length: 100 }, (_, k) => [k % 10 === 0 ? `client ${(w + k) % 12}` : 'most', 1] as const),
        100 * w,
      ),
    );
    const drawn = redrawRows(windows, 100, rng());
    for (let i = 0; i < 20; i++) {
      const most = countOf(drawn.window().principals).get('most')!;
      expect(Math.abs(most - 90)).toBeLessThanOrEqual(1);
      expect(countOf(drawn.reference(2000)!.principals).get('most')).toBeGreaterThan(1500);
    }
  });

  it('draw callers with replacement for a reference, from ten of them on', () => {
    const of = (callers: number) =>
      redrawRows(
        [windowOf(Array.from({ length: callers }, (_, k) => [`client ${k}`, 4] as const))],
        20,
        rng(),
      );
    expect(of(9).reference(2000)).toBeUndefined();
    const { n, principals } = of(20).reference(2000)!;
    expect(n).toBe(80);
    const counts = countOf(principals);
    expect(counts.size).toBeLessThan(20);
    for (const count of counts.values()) expect(count % 4).toBe(0);
    expect(of(20).reference(30)!.n).toBe(30);
  });

  it('are the same for the same seed, and of one caller alone, too', () => {
    const windows = [windowOf([['one', 200]])];
    const [a, b] = [redrawRows(windows, 60, rng()), redrawRows(windows, 60, rng())];
    expect(a.window()).toEqual(b.window());
    expect(a.window().n).toBe(60);
  });
});
