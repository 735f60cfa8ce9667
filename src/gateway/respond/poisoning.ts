import { z } from 'zod';
import type { OutputGuardKind } from '../output-guard.ts';
import { keyedHash } from './keyed-hash.ts';
import { likeliest, restoreLikeliest } from './likeliest.ts';
import { addsUp, asProbabilities } from './probabilities.ts';

/** Up to here all 2^(classes − 1) directions are tried, as in the paper. */
const EXACT_UP_TO = 10;
/** Standard deviation of the surrogate's logits. */
const SPREAD = 0.5;

/** Options of the guard. */
export const poisoningOptions = z.strictObject({
  eps: z
    .number({ error: 'a number above 0 and at most 2' })
    .gt(0, { error: 'a number above 0 and at most 2' })
    .max(2, { error: 'a number above 0 and at most 2' })
    .default(0.5)
    .describe('How far the scores of a sample may move, in L1: the sum of all changes.'),
});

/**
 * Prediction poisoning: maximising angular deviation, argmax kept (Orekondy, Schiele, Fritz 2020, "Prediction Poisoning: Towards
 * Defenses Against DNN Model Stealing Attacks", https://arxiv.org/abs/1906.10908). The answer moves, within `eps`, so that the
 * gradient which a copy computes from it points as far away as possible from the true one, and the class stays.
 *
 * Maths. The paper takes the gradient of a random surrogate's last layer. There ∂(−ln p_k)/∂W = (p − e_k) ⊗ h, so the gradient
 * under an answer y is (p − y) ⊗ h, and h and the norm of it cancel in the angle: the surrogate matters by its prediction p alone,
 * and no network is needed. The answer is ỹ = y + α (y* − y) with α = min(1, eps/‖y* − y‖₁), where the paper searches along the
 * line, and y* a corner 1_S/|S| of the scores that keep the class (S holds the likeliest). Deviation: the paper takes the corner
 * whose own gradient points farthest away, and then goes towards it as far as it may; we take the corner for which cos(p − y, p −
 * ỹ) is least where the walk ends, which under a small `eps` is another one. All corners are tried up to 10 classes, as in the
 * paper; above, sets of the classes with the largest p − y (the first 16 sizes, then powers of two), in place of its greedy search
 * of 1,024 steps. Deviation: p is softmax of normal draws of standard deviation ½, keyed by the input's digest, in place of a
 * randomly initialised network; the same input gets the same answer, so asking again gains nothing. Inputs that differ in a bit
 * get another p: who averages over neighbours loses the draw, not the direction. Logits become probabilities. Rows that do not add
 * up to 1 stay as they are. Cost: see docs/answers.md.
 */
export const poisoning: OutputGuardKind<z.output<typeof poisoningOptions>> = {
  name: 'poisoning',
  about: 'moves the scores so that a copy which learns from them is led astray',
  options: poisoningOptions,
  make({ eps }, { secret }) {
    const keyed = keyedHash(secret, 'glacis poisoning v1');
    return {
      name: 'poisoning',
      shape(given, { inputDigests }) {
        const scores = asProbabilities(given);
        const { values, n, classes } = scores;
        const out = new Float32Array(values.length);
        const digests = inputDigests();
        for (let row = 0; row < n; row++) {
          const y = values.subarray(row * classes, (row + 1) * classes);
          if (classes < 2 || !addsUp(y, 0, classes)) {
            out.set(y, row * classes);
            continue;
          }
          const winner = likeliest(y, 0, classes);
          const p = surrogate(keyed(digests[row]!), classes);
          const corner = farthest(y, p, winner, eps);
          if (corner === undefined) out.set(y, row * classes);
          else blend(y, corner, eps, out, row * classes);
          restoreLikeliest(out, row * classes, classes, winner);
        }
        return { ...scores, values: out };
      },
    };
  },
};

/** What a random copy would predict: near even, keyed by `seed` (32 bytes). */
function surrogate(seed: Buffer, classes: number): Float64Array {
  // sfc32 (Doty-Humphrey), seeded with 128 keyed bits.
  let [a, b, c, d] = [seed.readInt32LE(0), seed.readInt32LE(4), seed.readInt32LE(8), seed.readInt32LE(12)];
  const uniform = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return ((t >>> 0) + 0.5) / 4294967296;
  };
  const p = new Float64Array(classes);
  let sum = 0;
  for (let k = 0; k < classes; k++) {
    p[k] = Math.exp(SPREAD * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
    sum += p[k]!;
  }
  for (let k = 0; k < classes; k++) p[k]! /= sum;
  return p;
}

/** A corner of the scores that keep the class: even over `has`, which holds the likeliest. */
interface Corner {
  readonly has: Uint8Array;
  readonly size: number;
}

/** The corner towards which a step of `eps` turns p − y farthest; undefined where nothing turns it. */
export function farthest(
  y: ArrayLike<number>,
  p: ArrayLike<number>,
  winner: number,
  eps: number,
): Corner | undefined {
  const classes = y.length;
  const has = new Uint8Array(classes);
  let least = 1 - 1e-9;
  let best: Corner | undefined;
  // With u = p − y, d = y* − y and v = u − α d: cos = u·v / (|u| |v|). All sums over S are kept as S changes.
  let [uu, uy, yy, mass] = [0, 0, 0, 0];
  for (let k = 0; k < classes; k++) {
    const u = p[k]! - y[k]!;
    uu += u * u;
    uy += u * y[k]!;
    yy += y[k]! * y[k]!;
    mass += y[k]!;
  }
  if (uu < 1e-18) return undefined;
  const order = Array.from({ length: classes }, (_, k) => k);
  const falling = order.toSorted((a, b) => y[b]! - y[a]! || a - b);
  let [size, sumU, sumY] = [0, 0, 0];
  const turn = (k: number) => {
    has[k]! ^= 1;
    const sign = has[k] ? 1 : -1;
    size += sign;
    sumU += sign * (p[k]! - y[k]!);
    sumY += sign * y[k]!;
  };
  const consider = () => {
    const share = 1 / size;
    // ‖d‖₁ = Σ_S |1/m − y| + Σ_rest y; few classes have more than 1/m.
    let distance = mass + 1 - 2 * sumY;
    for (let i = 0; i < classes; i++) {
      const k = falling[i]!;
      if (y[k]! <= share) break;
      if (has[k]) distance += 2 * (y[k]! - share);
    }
    const alpha = distance > eps ? eps / distance : 1;
    const along = share * sumU - uy;
    const square = share - 2 * share * sumY + yy;
    const vv = uu - 2 * alpha * along + alpha * alpha * square;
    if (vv < 1e-18) return;
    const cosine = (uu - alpha * along) / Math.sqrt(uu * vv);
    if (cosine >= least) return;
    least = cosine;
    best = { has: has.slice(), size };
  };
  turn(winner);
  consider();
  const others = order.filter((k) => k !== winner);
  if (classes <= EXACT_UP_TO) {
    // Gray code: each step turns one class on or off.
    for (let i = 1; i < 2 ** others.length; i++) {
      turn(others[31 - Math.clz32(i & -i)]!);
      consider();
    }
    return best;
  }
  others.sort((a, b) => p[b]! - y[b]! - p[a]! + y[a]! || a - b);
  for (const [i, k] of others.entries()) {
    turn(k);
    if (i < 16 || size === classes || (size & (size - 1)) === 0) consider();
  }
  return best;
}

/** y + α (y* − y), as far as `eps` allows. */
function blend(y: Float32Array, { has, size }: Corner, eps: number, out: Float32Array, at: number): void {
  let distance = 0;
  for (let k = 0; k < y.length; k++) distance += Math.abs(has[k]! / size - y[k]!);
  const alpha = distance > eps ? eps / distance : 1;
  for (let k = 0; k < y.length; k++) out[at + k] = y[k]! + alpha * (has[k]! / size - y[k]!);
}
