/**
 * What the losses on an attack's way say about the attack, after Pintor et al. 2022, "Indicators of Attack Failure"
 * (https://arxiv.org/abs/2106.09947). Losses are those that the attacker raises. Silent success, an example that the attack passed and lost
 * again, is no question here: every attack keeps the examples that it passes.
 */

/** Last iterates that are looked at for convergence, and how much of the loss's range they may still cover (section 3.2, I4). */
const LAST = 10;
const SETTLED = 0.05;

/**
 * Whether the loss was still rising when the steps were over: over the last ten iterates the best so far rose by more than 5 % of
 * the loss's range. `false` for fewer than two losses and where the loss never changed.
 */
export function stillRising(losses: readonly number[]): boolean {
  const best = bestSoFar(losses);
  const range = rangeOf(losses);
  if (!(range > 0)) return false;
  return (best.at(-1)! - best.at(-Math.min(LAST, best.length))!) / range > SETTLED;
}

/**
 * How sharply the loss stops rising (break-point angle, first version of the paper): `1 − |cos β|` for the angle β at the point of the
 * normalised best-so-far curve that lies farthest from the straight line between its ends. Near 1: it rose at once and then stayed. Near
 * 0: a straight line, more steps would have gone on. `undefined` where the loss never rose.
 */
export function breakPoint(losses: readonly number[]): number | undefined {
  const best = bestSoFar(losses);
  const [first, last] = [best[0]!, best.at(-1)!];
  if (best.length < 3 || !(last > first)) return undefined;
  const at = (i: number) => [i / (best.length - 1), (best[i]! - first) / (last - first)] as const;
  let farthest = 0;
  let corner = at(0);
  for (let i = 1; i < best.length - 1; i++) {
    const [x, y] = at(i);
    // The ends lie at (0, 0) and (1, 1).
    const distance = Math.abs(y - x);
    if (distance > farthest) {
      farthest = distance;
      corner = [x, y];
    }
  }
  if (farthest === 0) return 0;
  const [x, y] = corner;
  const cosine = (-x * (1 - x) - y * (1 - y)) / (Math.hypot(x, y) * Math.hypot(1 - x, 1 - y));
  return 1 - Math.abs(cosine);
}

/**
 * How much of the loss's way went downwards though the gradient promised a rise, from 0 (never) over ½ (as if by chance) to 1 (indicator
 * of increasing loss, first version of the paper). `undefined` where the loss never changed.
 */
export function backwards(losses: readonly number[]): number | undefined {
  let up = 0;
  let down = 0;
  for (let i = 1; i < losses.length; i++) {
    const change = losses[i]! - losses[i - 1]!;
    if (change > 0) up += change;
    else down -= change;
  }
  const way = up + down;
  return way > 0 && Number.isFinite(way) ? down / way : undefined;
}

function bestSoFar(losses: readonly number[]): readonly number[] {
  let best = Number.NEGATIVE_INFINITY;
  return losses.map((loss) => {
    if (loss > best) best = loss;
    return best;
  });
}

function rangeOf(losses: readonly number[]): number {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const loss of losses) {
    low = Math.min(low, loss);
    high = Math.max(high, loss);
  }
  return high - low;
}
