/**
 * The Wasserstein-1 distance of two samples, the least first and finite: how far values moved on average, in the feature's own unit. 0 with an empty sample.
 * ∫ |F − G|.
 */
export function wasserstein(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [m, n] = [a.length, b.length];
  if (m === 0 || n === 0) return 0;
  let [i, j, sum] = [0, 0, 0];
  let last = Math.min(a[0]!, b[0]!);
  while (i < m || j < n) {
    const value = j >= n || (i < m && a[i]! <= b[j]!) ? a[i]! : b[j]!;
    sum += Math.abs(i / m - j / n) * (value - last);
    last = value;
    while (i < m && a[i] === value) i++;
    while (j < n && b[j] === value) j++;
  }
  return sum;
}
