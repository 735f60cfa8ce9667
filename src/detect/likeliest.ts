/** The class with the highest score of each row, the first of equals; `[n]`. NaN is never the highest. */
export function likeliest(scores: Float32Array, n: number, classes: number): Uint32Array {
  const best = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    const from = i * classes;
    let at = 0;
    for (let k = 1; k < classes; k++) if (!(scores[from + at]! >= scores[from + k]!)) at = k;
    best[i] = at;
  }
  return best;
}
