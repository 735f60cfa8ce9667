import { GlacisError } from '../core/error.ts';
import type { Rng } from '../core/random.ts';
import type { Constraint } from './constraint.ts';

/** Norms that a perturbation is measured in. */
export const NORMS = ['linf', 'l2', 'l1', 'l0'] as const;

/** One of {@link NORMS}. */
export type Norm = (typeof NORMS)[number];

/** A norm ball around the clean input, within the input's own range and, where there is one, a constraint. */
export interface Ball {
  readonly norm: Norm;
  /** Radius in the model's input units; for `l0` a number of elements. */
  readonly eps: number;
  /** Lowest and highest value an input may have. */
  readonly bounds: readonly [number, number];
  /** What an example must satisfy beside. */
  readonly constraint?: Constraint | undefined;
}

/** Reads `--norm`. Errors: `option/invalid`. */
export function normFrom(text: string): Norm {
  const norm = NORMS.find((n) => n === text.toLowerCase());
  if (!norm) throw new GlacisError('option/invalid', `--norm: expected ${NORMS.join(', ')}, got '${text}'`);
  return norm;
}

/** Reads `--eps`: a number or a fraction such as `8/255`. Errors: `option/invalid` below 0 or for anything else. */
export function epsFrom(text: string): number {
  const match = /^\s*([0-9.eE+-]+)\s*(?:\/\s*([0-9.eE+-]+))?\s*$/.exec(text);
  const eps = match ? Number(match[1]) / (match[2] === undefined ? 1 : Number(match[2])) : Number.NaN;
  if (!Number.isFinite(eps) || eps < 0)
    throw new GlacisError(
      'option/invalid',
      `--eps: expected a number or fraction of at least 0 (such as 0.3 or 8/255), got '${text}'`,
    );
  return eps;
}

/** A radius as people write it: "0.3", or "8/255" where that is what it is. */
export function radius(eps: number): string {
  const short = Number(eps.toPrecision(3));
  if (Math.abs(short - eps) <= 2e-7) return String(short);
  const levels = Math.round(eps * 255);
  if (levels >= 1 && levels <= 255 && Math.abs(levels / 255 - eps) < 1e-6) return `${levels}/255`;
  return String(Number(eps.toPrecision(4)));
}

/** Distance of two samples of `length` elements that start at `offset`, accumulated in float64. */
export function distance(
  norm: Norm,
  x: Float32Array,
  x0: Float32Array,
  offset: number,
  length: number,
): number {
  let total = 0;
  for (let i = offset; i < offset + length; i++) {
    const d = Math.abs(x[i]! - x0[i]!);
    if (norm === 'linf') total = d > total || Number.isNaN(d) ? d : total;
    else if (norm === 'l2') total += d * d;
    else if (norm === 'l1') total += d;
    else total += d > 0 ? 1 : 0;
  }
  return norm === 'l2' ? Math.sqrt(total) : total;
}

/**
 * A random start in the ball, clipped to the bounds, written over `x` from `offset`. Linf: uniform in the cube; L2: uniform in the
 * ball; L1: uniform in the ball (exponential spacings). Deterministic given `rng`.
 */
export function randomStart(
  ball: Ball,
  x0: Float32Array,
  x: Float32Array,
  offset: number,
  length: number,
  rng: Rng,
): void {
  const { norm, eps, bounds } = ball;
  const put = (i: number, delta: number) => {
    x[offset + i] = Math.min(bounds[1], Math.max(bounds[0], x0[offset + i]! + delta));
  };
  if (norm === 'linf') {
    for (let i = 0; i < length; i++) put(i, eps * (2 * rng.uniform() - 1));
    return;
  }
  if (norm === 'l0') throw new GlacisError('option/invalid', 'random start: expected linf, l2 or l1, got l0');
  const draws = new Float64Array(length);
  let size = 0;
  for (let i = 0; i < length; i++) {
    if (norm === 'l2') {
      draws[i] = rng.normal();
      size += draws[i]! ** 2;
    } else {
      const e = -Math.log(1 - rng.uniform());
      draws[i] = rng.uniform() < 0.5 ? -e : e;
      size += e;
    }
  }
  const radius = norm === 'l2' ? Math.sqrt(size) : size - Math.log(1 - rng.uniform());
  const scale = (eps * (norm === 'l2' ? rng.uniform() ** (1 / length) : 1)) / Math.max(radius, 1e-300);
  for (let i = 0; i < length; i++) put(i, draws[i]! * scale);
}
