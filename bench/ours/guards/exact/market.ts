import type { Rng } from '../../../../src/core/random.ts';
import { FROZEN } from './frozen.ts';

const { feed } = FROZEN;

/** What one principal's feed says, reading by reading. */
export interface Stream {
  readonly principal: string;
  /** The same price from two sources. */
  readonly a: Float64Array;
  readonly b: Float64Array;
  /** Milliseconds since 1970: when a reading was taken by the source's clock, and when its request arrives. */
  readonly taken: Float64Array;
  readonly arrives: Float64Array;
  /** The market's mood. */
  readonly mood: Uint8Array;
}

/** When streams begin. */
const BEGIN = Date.parse('2026-11-23T00:00:00Z');

/** A made-up price that drifts with the market's mood, as two sources tell it, sent each second over one connection. */
export function streamOf(principal: string, n: number, rng: Rng): Stream {
  const [a, b, taken, arrives] = [0, 0, 0, 0].map(() => new Float64Array(n)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const mood = new Uint8Array(n);
  const clock = feed.clock * (2 * rng.uniform() - 1);
  let price = 100;
  let now = rng.integer(2);
  for (let t = 0; t < n; t++) {
    const earlier = price;
    if (rng.uniform() < feed.turns) now = 1 - now;
    price *= Math.exp(feed.drift * (2 * now - 1) + feed.step * rng.normal());
    mood[t] = now;
    const told = () => (rng.uniform() < feed.late ? earlier : price) * (1 + feed.miss * rng.normal());
    a[t] = told();
    b[t] = told();
    const sent = BEGIN + t * feed.every;
    const pause = rng.uniform() < feed.pause.often ? -feed.pause.mean * Math.log(1 - rng.uniform()) : 0;
    const delay = feed.delay.median * Math.exp(feed.delay.spread * rng.normal()) + pause;
    taken[t] = sent + clock;
    // One connection: nothing overtakes what was sent before.
    arrives[t] = Math.max(sent + delay, t > 0 ? arrives[t - 1]! : 0);
  }
  return { principal, a, b, taken, arrives, mood };
}

/**
 * What the network sees at reading `t`: the last prices of the first source, as shares above the mean of the second in typical steps. `last` are other values of both in
 * the newest reading's place.
 */
export function windowAt(
  { a, b }: Pick<Stream, 'a' | 'b'>,
  t: number,
  last: readonly [number, number] = [a[t]!, b[t]!],
): Float32Array {
  const from = t - feed.window + 1;
  const mean = meanAt({ b }, t, last[1]);
  return Float32Array.from(
    { length: feed.window },
    (_, i) => ((from + i === t ? last[0] : a[from + i]!) / mean - 1) / feed.step,
  );
}

/** Mean of the second source over the window that ends at reading `t`. */
export function meanAt({ b }: Pick<Stream, 'b'>, t: number, last: number = b[t]!): number {
  let sum = last;
  for (let i = t - feed.window + 1; i < t; i++) sum += b[i]!;
  return sum / feed.window;
}
