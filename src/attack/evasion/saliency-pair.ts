/**
 * The pair of moves of highest saliency (Papernot et al. 2016): among `p ≠ q` with `A = gain_p + gain_q > 0` (what the target's logit wins)
 * and `B = loss_p + loss_q > 0` (what the others lose), the one of largest `A · B`; of equal ones the first. Where there
 * is none, the best single move by the same measure, or nothing. Moves that help in neither respect are left
 * out (the paper's map would take one where it must).
 *
 * Exact without looking at all pairs, because a move with two others that are at least as good in both respects can be replaced by one of
 * them: only moves with fewer than two such betters are paired. Cost: sorting, and the square of what is left, usually a few dozen.
 */
export function saliencyPair(gain: Float64Array, loss: Float64Array): readonly number[] {
  const order = Uint32Array.from(gain, (_, i) => i).filter((i) => gain[i]! > 0 || loss[i]! > 0);
  order.sort((a, b) => gain[b]! - gain[a]! || loss[b]! - loss[a]! || a - b);
  const kept: number[] = [];
  let [first, second] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const i of order) {
    const v = loss[i]!;
    if (!(v > second)) continue;
    kept.push(i);
    if (v > first) [first, second] = [v, first];
    else second = v;
  }
  let best = 0;
  let found: readonly number[] = [];
  const look = (...moves: readonly number[]) => {
    const a = moves.reduce((sum, m) => sum + gain[m]!, 0);
    const b = moves.reduce((sum, m) => sum + loss[m]!, 0);
    if (!(a > 0 && b > 0 && a * b > best)) return;
    best = a * b;
    found = moves;
  };
  for (const [p, one] of kept.entries()) for (const other of kept.slice(p + 1)) look(one, other);
  if (found.length === 0) for (const one of kept) look(one);
  return found;
}
