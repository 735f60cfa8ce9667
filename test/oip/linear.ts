import type { ServedModel } from './model.ts';

/** Three scores of a 2 × 2 sample: `Wx + b` with weights that float32 holds exactly. */
export const LINEAR: ServedModel = { sampleShape: [2, 2], outputs: 3, answer: linearScores };

const WEIGHTS = [
  [1, 0.5, -0.25, 0],
  [-1, 0.25, 0.5, 2],
  [0.125, -0.5, 1, -2],
];
const BIAS = [0, 0.5, -1];

/** The scores `[n, 3]` of `n` samples `[n, 2, 2]`. */
export function linearScores(x: Float32Array, n: number): Float32Array {
  return Float32Array.from({ length: n * 3 }, (_, i) => {
    const row = Math.floor(i / 3);
    return WEIGHTS[i % 3]!.reduce((sum, w, j) => sum + w * x[row * 4 + j]!, BIAS[i % 3]!);
  });
}

/** `n` samples of multiples of 1/8 between −1 and 1, all different. */
export function linearSamples(n: number): Float32Array {
  return Float32Array.from({ length: n * 4 }, (_, i) => ((i * 7 + Math.floor(i / 4)) % 17) / 8 - 1);
}
