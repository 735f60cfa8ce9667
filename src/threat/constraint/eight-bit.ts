import { GlacisError } from '../../core/error.ts';
import type { Constraint } from '../constraint.ts';
import type { Ball } from '../norm.ts';
import { boundsOf, inBall, intoBall, reaches } from './ball.ts';
import { constraintOf } from './row-rule.ts';

/**
 * The 256 values that 8-bit data have as a model's input of `range`, in order, computed as they are when data are read: saved as
 * bytes and read again, they are the same numbers. Errors: `option/invalid` when float32 cannot tell them apart.
 */
export function eightBitValues(range: readonly [number, number]): Float32Array {
  const [low, high] = range.map(Math.fround) as [number, number];
  const values = Float32Array.from({ length: 256 }, (_, byte) =>
    byte === 255 ? high : low + (byte / 255) * (high - low),
  );
  for (let i = 1; i < 256; i++)
    if (!(values[i]! > values[i - 1]!))
      throw new GlacisError(
        'option/invalid',
        `8-bit: expected a range that holds 256 values, got ${range[0]} to ${range[1]}`,
      );
  return values;
}

/** The bytes of values of `range`, each the nearest; exact for what satisfies {@link eightBit}. */
export function bytesOf(x: Float32Array, range: readonly [number, number]): Uint8Array {
  const [low, high] = range.map(Math.fround) as [number, number];
  return Uint8Array.from(x, (v) => levelOf(v, low, high));
}

/**
 * Samples of `length` values survive being saved in 8 bits (PNG): each is one of {@link eightBitValues}. Values are rounded to the
 * nearest level; where that leaves the ball, as few as needed are rounded towards the clean sample, those first that lose least.
 * So an Linf radius below one level leaves the clean sample. Clean samples must have 8-bit values themselves.
 * Errors: `option/invalid` (range).
 */
export function eightBit(range: readonly [number, number], length: number): Constraint {
  const levels = eightBitValues(range);
  const low = levels[0]!;
  const high = levels[255]!;
  return constraintOf({
    id: '8-bit',
    title: 'every value survives being saved in 8 bits',
    length,
    move(row, clean, ball) {
      intoBall(ball, row, clean);
      const wish = row.slice();
      const [least, most] = boundsOf(ball);
      for (let i = 0; i < length; i++) {
        let k = levelOf(row[i]!, low, high);
        while (k > 0 && levels[k]! > most) k--;
        while (k < 255 && levels[k]! < least) k++;
        row[i] = levels[k]!;
      }
      if (!inBall(ball, row, clean))
        stepBack(row, wish, clean, ball, (v, step) => {
          const k = levelOf(v, low, high) + step;
          return levels[Math.min(255, Math.max(0, k))]!;
        });
    },
    violation(row) {
      let off = 0;
      for (let i = 0; i < length; i++) if (levels[levelOf(row[i]!, low, high)] !== row[i]) off++;
      return off === 0 ? undefined : `${off} of ${length} values are none of the 256 that 8 bits can hold`;
    },
  });
}

/** Number of the level nearest to `v`. */
function levelOf(v: number, low: number, high: number): number {
  return Math.min(255, Math.max(0, Math.round(((v - low) / (high - low)) * 255)));
}

/** Takes values that were rounded away from the clean row one level back until the row is in the ball, those nearest to half first. */
function stepBack(
  row: Float32Array,
  wish: Float32Array,
  clean: Float32Array,
  ball: Ball,
  moved: (v: number, step: 1 | -1) => number,
): void {
  const outward: number[] = [];
  let size = 0;
  const term = (v: number, c: number) => (ball.norm === 'l2' ? (v - c) ** 2 : Math.abs(v - c));
  for (let i = 0; i < row.length; i++) {
    const c = clean[i]!;
    size += term(row[i]!, c);
    if (Math.abs(row[i]! - c) > Math.abs(wish[i]! - c)) outward.push(i);
  }
  const error = (i: number) => Math.abs(row[i]! - wish[i]!);
  const radius = ball.norm === 'l2' ? ball.eps ** 2 : ball.eps;
  if (ball.norm !== 'linf') outward.sort((a, b) => error(b) - error(a) || a - b);
  for (const i of outward) {
    const v = row[i]!;
    const c = clean[i]!;
    if (ball.norm === 'linf' ? reaches(ball, v, c) : size <= radius) continue;
    row[i] = moved(v, v > c ? -1 : 1);
    size += term(row[i]!, c) - term(v, c);
  }
}
