/** An optimiser's next move: subtracts a step for `gradient` from `x`, in place. */
export type Descent = (x: Float32Array, gradient: Float32Array) => void;

const FIRST = 0.9;
const SECOND = 0.999;
const LEAST = 1e-8;

/** Adam (Kingma & Ba 2015, with their constants) for `size` numbers, downhill; a NaN counts as 0. State: two arrays of that size. */
export function adam(size: number, rate: number): Descent {
  const mean = new Float32Array(size);
  const square = new Float32Array(size);
  let step = 0;
  return (x, gradient) => {
    step++;
    const length = rate / (1 - FIRST ** step);
    const scale = 1 / Math.sqrt(1 - SECOND ** step);
    for (let i = 0; i < size; i++) {
      const g = gradient[i]! || 0;
      const m = FIRST * mean[i]! + (1 - FIRST) * g;
      const s = SECOND * square[i]! + (1 - SECOND) * g * g;
      mean[i] = m;
      square[i] = s;
      x[i]! -= (length * m) / (Math.sqrt(s) * scale + LEAST);
    }
  };
}
