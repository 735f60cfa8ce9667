/** Slack of AutoAttack's own check. */
const SLACK = 1e-5;

/** Whether every row of `k` outputs is a probability distribution: between 0 and 1, and summing to 1, up to 1e-5. Not for `k` of 1. */
export function areProbabilities(outputs: Float32Array, k: number): boolean {
  if (k < 2 || outputs.length === 0) return false;
  for (let at = 0; at < outputs.length; at += k) {
    let total = 0;
    for (let i = at; i < at + k; i++) {
      const p = outputs[i]!;
      if (!(p > -SLACK && p < 1 + SLACK)) return false;
      total += p;
    }
    if (!(Math.abs(total - 1) < SLACK)) return false;
  }
  return true;
}
