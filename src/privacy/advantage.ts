/**
 * The most that true minus false positive rate of any membership inference can be against what keeps (epsilon, delta):
 * `(e^epsilon − 1 + 2 delta) / (e^epsilon + 1)`, whatever the attacker knows beside the sample in question (Kairouz, Oh and Viswanath 2015:
 * the region of rates that such a promise leaves; Humphries et al. 2023).
 * @see https://arxiv.org/abs/1311.0776
 */
export function mostAdvantage(epsilon: number, delta: number): number {
  // With e^-epsilon, so that no epsilon is too large.
  const shrunk = Math.exp(-epsilon);
  return Math.min(1, (1 - shrunk + 2 * delta * shrunk) / (1 + shrunk));
}
