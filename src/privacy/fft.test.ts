import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fourier } from './fft.ts';

/** The definition, in as many steps as it says. */
function byDefinition(re: Float64Array, im: Float64Array, sign: 1 | -1): readonly [number[], number[]] {
  const n = re.length;
  const out: [number[], number[]] = [[], []];
  for (let k = 0; k < n; k++) {
    let [r, i] = [0, 0];
    for (let j = 0; j < n; j++) {
      const angle = (sign * 2 * Math.PI * ((j * k) % n)) / n;
      r += re[j]! * Math.cos(angle) - im[j]! * Math.sin(angle);
      i += re[j]! * Math.sin(angle) + im[j]! * Math.cos(angle);
    }
    out[0].push(r);
    out[1].push(i);
  }
  return out;
}

/** Numbers of some power-of-two length. */
const signal = fc
  .integer({ min: 1, max: 8 })
  .chain((log) =>
    fc.tuple(
      ...[0, 1].map(() =>
        fc.float64Array({ minLength: 2 ** log, maxLength: 2 ** log, min: -1, max: 1, noNaN: true }),
      ),
    ),
  ) as fc.Arbitrary<[Float64Array, Float64Array]>;

describe('fourier', () => {
  it('does what the definition says, both ways, within its error bound', () => {
    fc.assert(
      fc.property(signal, fc.boolean(), ([re, im], inverse) => {
        const n = re.length;
        const [wantedRe, wantedIm] = byDefinition(re, im, inverse ? 1 : -1);
        const sum = re.reduce((s, v, i) => s + Math.hypot(v, im[i]!), 0);
        const bound = 6 * Math.log2(n) * 2 ** -53 * sum + n * 2 ** -52 * sum;
        const [gotRe, gotIm] = [re.slice(), im.slice()];
        fourier(n).transform(gotRe, gotIm, inverse);
        for (let k = 0; k < n; k++)
          expect(Math.hypot(gotRe[k]! - wantedRe[k]!, gotIm[k]! - wantedIm[k]!)).toBeLessThanOrEqual(bound);
      }),
    );
  });

  it('and back gives what went in, within its error bound, also for long ones', () => {
    const n = 2 ** 15;
    const re = Float64Array.from({ length: n }, (_, i) => Math.exp(-((i - 500) ** 2) / 1e4));
    const [a, b] = [re.slice(), new Float64Array(n)];
    const transform = fourier(n);
    transform.transform(a, b);
    transform.transform(a, b, true);
    const worst = re.reduce((most, v, i) => Math.max(most, Math.abs(a[i]! / n - v)), 0);
    expect(worst).toBeLessThan(1e-15 * 15);
  });
});
