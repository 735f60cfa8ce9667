import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { float32Tensor, numbersOf } from '../../onnx/tensor.ts';
import { planWinograd, winogradPays } from './winograd.ts';

const C = 3;
const K = 2;

/** The three products of a plan on one map `[C, H, W]`, in float64; gives `[K, H, W]`. */
function apply(plan: ReturnType<typeof planWinograd>, x: Float64Array, places: number): Float64Array {
  const [input, weights, output] = [plan.input, plan.weights, plan.output].map(numbersOf);
  const rows = plan.frequencies * plan.tiles;
  const products = new Float64Array(rows * K);
  for (let r = 0; r < rows; r++) {
    const f = Math.floor(r / plan.tiles);
    for (let c = 0; c < C; c++) {
      let v = 0;
      for (let p = 0; p < places; p++) v += input![r * places + p]! * x[c * places + p]!;
      for (let k = 0; k < K; k++) products[r * K + k]! += v * weights![(f * C + c) * K + k]!;
    }
  }
  const y = new Float64Array(K * places);
  for (let p = 0; p < places; p++)
    for (let r = 0; r < rows; r++)
      for (let k = 0; k < K; k++) y[k * places + p]! += output![p * rows + r]! * products[r * K + k]!;
  return y;
}

/** 3×3, stride 1, zero padding 1, as a plain loop. */
function direct(w: ArrayLike<number>, x: Float64Array, h: number, width: number): Float64Array {
  const y = new Float64Array(K * h * width);
  for (let k = 0; k < K; k++)
    for (let c = 0; c < C; c++)
      for (let i = 0; i < h; i++)
        for (let j = 0; j < width; j++)
          for (let di = -1; di <= 1; di++)
            for (let dj = -1; dj <= 1; dj++) {
              const [a, b] = [i + di, j + dj];
              if (a < 0 || b < 0 || a >= h || b >= width) continue;
              y[(k * h + i) * width + j]! +=
                w[((k * C + c) * 3 + di + 1) * 3 + dj + 1]! * x[(c * h + a) * width + b]!;
            }
  return y;
}

describe('planWinograd', () => {
  const rng = randomFrom(1, 'winograd');
  const draw = (n: number) => Float64Array.from({ length: n }, () => rng.normal());

  for (let h = 1; h <= 8; h++) {
    it(`is the convolution on maps of ${h} × 1 to ${h} × 9`, () => {
      for (let width = 1; width <= 9; width++) {
        const w = float32Tensor([K, C, 3, 3], Float32Array.from(draw(K * C * 9)));
        const x = draw(C * h * width);
        const plan = planWinograd(w, h, width);
        const m = h <= 4 && width <= 4 ? 2 : 4;
        expect(plan.frequencies).toBe((m + 2) ** 2);
        expect(plan.tiles).toBe(Math.ceil(h / m) * Math.ceil(width / m));
        const got = apply(plan, x, h * width);
        direct(numbersOf(w), x, h, width).forEach((v, i) => {
          // The plan's weights are rounded to float32, nothing else.
          expect(Math.abs(got[i]! - v)).toBeLessThan(2e-5);
        });
      }
    });
  }
});

describe('winogradPays', () => {
  it('on small maps with many channels only', () => {
    expect(winogradPays(4, 4, 512, 512)).toBe(true);
    expect(winogradPays(8, 8, 128, 256)).toBe(true);
    expect(winogradPays(16, 16, 128, 128)).toBe(false);
    expect(winogradPays(8, 8, 127, 512)).toBe(false);
    expect(winogradPays(2, 8, 512, 512)).toBe(false);
  });
});
