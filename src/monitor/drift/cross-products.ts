/** Sums over two series of the products of their distances from their means: of both, of the first with itself, and of the second. Over as many numbers as the shorter one has. */
export function crossProducts(
  a: Float64Array,
  b: Float64Array,
): { readonly ab: number; readonly aa: number; readonly bb: number } {
  const n = Math.min(a.length, b.length);
  let [ma, mb] = [0, 0];
  for (let i = 0; i < n; i++) {
    ma += a[i]! / n;
    mb += b[i]! / n;
  }
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [x, y] = [a[i]! - ma, b[i]! - mb];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return { ab, aa, bb };
}
