import type { Rng } from '../../../src/core/random.ts';
import { DIGIT, type Move, moved, noisy, type Pictures } from './pictures.ts';

/**
 * Who asks without harm. `plain`: other pictures each time; `retries`: one in eight is sent again, bit for bit; `resaves`: one in eight is sent again
 * after a change (a shift of up to half a pixel, other brightness, noise), as files that were saved again are; `camera`: runs of 20 to 150 frames of
 * one picture that drifts slowly, with the noise of a sensor.
 */
export const CALM_KINDS = ['plain', 'retries', 'resaves', 'camera'] as const;

/** One of {@link CALM_KINDS}. */
export type CalmKind = (typeof CALM_KINDS)[number];

/** The queries of one calm principal, in order: `[n, 784]`. */
export interface CalmPrincipal {
  readonly kind: CalmKind;
  readonly x: Float32Array;
  readonly n: number;
}

/** Draws a principal with `n` queries from `pool` (numbers of pictures), whose classes it meets in proportions of its own. */
export function calmPrincipal(
  kind: CalmKind,
  pictures: Pictures,
  pool: readonly Int32Array[],
  n: number,
  rng: Rng,
): CalmPrincipal {
  const x = new Float32Array(n * DIGIT);
  const share = pool.map(() => -Math.log(1 - rng.uniform()));
  const whole = share.reduce((sum, s) => sum + s, 0);
  // A camera or a scanner of its own: everything a principal sends is moved and blurred alike.
  const own: Move = {
    turn: 0.06 * rng.normal(),
    zoom: 1 + 0.04 * rng.normal(),
    right: 0.6 * rng.normal(),
    down: 0.6 * rng.normal(),
  };
  const pick = () => {
    let left = rng.uniform() * whole;
    let k = 0;
    while (k < pool.length - 1 && left >= share[k]!) left -= share[k++]!;
    return pool[k]![rng.integer(pool[k]!.length)]!;
  };
  for (let i = 0; i < n; ) {
    const picture = pick();
    const at = (j: number) => x.subarray(j * DIGIT, (j + 1) * DIGIT);
    if (kind === 'camera') {
      const run = 20 + rng.integer(131);
      let { turn, zoom, right, down } = own;
      const drift = 0.01 + 0.03 * rng.uniform();
      for (let frame = 0; frame < run && i < n; frame++, i++) {
        turn += 0.1 * drift * rng.normal();
        zoom += 0.05 * drift * rng.normal();
        right += drift * rng.normal();
        down += drift * rng.normal();
        moved(pictures.x, picture, { turn, zoom, right, down }, at(i));
        noisy(at(i), 0.02, rng);
      }
      continue;
    }
    moved(pictures.x, picture, own, at(i));
    const first = i++;
    if (kind === 'plain' || i >= n || rng.uniform() >= 0.125) continue;
    const copies = 1 + rng.integer(3);
    for (let copy = 0; copy < copies && i < n; copy++, i++) {
      if (kind === 'retries') {
        at(i).set(at(first));
        continue;
      }
      const { turn, zoom, right, down } = own;
      const half = () => rng.uniform() - 0.5;
      moved(pictures.x, picture, { turn, zoom, right: right + half(), down: down + half() }, at(i));
      const light = 0.9 + 0.2 * rng.uniform();
      for (let p = i * DIGIT; p < (i + 1) * DIGIT; p++) x[p] = Math.min(1, light * x[p]!);
      noisy(at(i), 0.02, rng);
    }
  }
  return { kind, x, n };
}

/** Numbers of the pictures from `start` to `end`, by class. */
export function poolOf({ y }: Pictures, start: number, end: number): readonly Int32Array[] {
  const lists: number[][] = Array.from({ length: 10 }, () => []);
  for (let i = start; i < end; i++) lists[y[i]!]!.push(i);
  return lists.map((list) => Int32Array.from(list));
}
