/** A discrete Fourier transform of one length, in doubles. */
export interface Fourier {
  /** Transforms `re + i·im` in place: `X_k = Σ_n x_n e^(−2πi nk/N)`, or with `+` and without the factor 1/N when `inverse`. */
  transform(re: Float64Array, im: Float64Array, inverse?: boolean): void;
}

/**
 * The transform of length `n`, a power of two: iterative, radix 2, decimation in time, every root of unity from its own
 * sine and cosine. The error of each result is below 6·log₂(n)·2⁻⁵³ times the sum of the inputs' absolute values (Higham
 * 2002, theorem 24.2). Cost: n·log₂(n)/2 butterflies, and 8 n bytes that stay with the transform.
 */
export function fourier(n: number): Fourier {
  const cos = new Float64Array(n / 2);
  const sin = new Float64Array(n / 2);
  for (let k = 0; k < n / 2; k++) {
    cos[k] = Math.cos((2 * Math.PI * k) / n);
    sin[k] = Math.sin((2 * Math.PI * k) / n);
  }
  return {
    transform(re, im, inverse = false) {
      reverseBits(re, im);
      for (let half = 1; half < n; half *= 2) {
        const stride = n / (2 * half);
        for (let start = 0; start < n; start += 2 * half)
          for (let k = 0; k < half; k++) {
            const a = start + k;
            const b = a + half;
            const c = cos[k * stride]!;
            const s = inverse ? sin[k * stride]! : -sin[k * stride]!;
            const tr = re[b]! * c - im[b]! * s;
            const ti = re[b]! * s + im[b]! * c;
            re[b] = re[a]! - tr;
            im[b] = im[a]! - ti;
            re[a] = re[a]! + tr;
            im[a] = im[a]! + ti;
          }
      }
    },
  };
}

/** Puts element `i` to the place whose binary digits are those of `i` in reverse. */
function reverseBits(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    [re[i], re[j]] = [re[j]!, re[i]!];
    [im[i], im[j]] = [im[j]!, im[i]!];
  }
}
