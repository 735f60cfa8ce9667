import { numbersOf, type Tensor } from '../../onnx/tensor.ts';

/**
 * Winograd's minimal filtering for 3×3 convolutions with stride 1 (Lavin & Gray 2016, "Fast algorithms for convolutional
 * neural networks"), written as three products with constant matrices. With the two spatial axes in front, `[H·W, N·C]`,
 * both transforms are one dense matrix each (padding and tiling included), and the middle step is a batch of products
 * `[tiles·N, C] × [C, K]`, one for each of the tile's frequencies: no data is moved in between.
 */
export interface WinogradPlan extends Transform {
  /** `[frequencies, C, K]`: the weights in the frequency domain. */
  readonly weights: Tensor;
  readonly frequencies: number;
}

/** The matrices of F(m, 3): `m` outputs from `m + 2` inputs. */
export interface Filtering {
  readonly m: number;
  readonly input: readonly (readonly number[])[];
  readonly weights: readonly (readonly number[])[];
  readonly output: readonly (readonly number[])[];
}

/** F(2, 3): 2.25 times fewer multiplications in two dimensions; rounding errors like those of the direct form. */
const F2: Filtering = {
  m: 2,
  input: [
    [1, 0, -1, 0],
    [0, 1, 1, 0],
    [0, -1, 1, 0],
    [0, 1, 0, -1],
  ],
  weights: [
    [1, 0, 0],
    [1 / 2, 1 / 2, 1 / 2],
    [1 / 2, -1 / 2, 1 / 2],
    [0, 0, 1],
  ],
  output: [
    [1, 1, 1, 0],
    [0, 1, -1, -1],
  ],
};

/** F(4, 3): 4 times fewer multiplications; relative errors around 1e-5 in float32. */
const F4: Filtering = {
  m: 4,
  input: [
    [4, 0, -5, 0, 1, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
  ],
  weights: [
    [1 / 4, 0, 0],
    [-1 / 6, -1 / 6, -1 / 6],
    [-1 / 6, 1 / 6, -1 / 6],
    [1 / 24, 1 / 12, 1 / 6],
    [1 / 24, -1 / 12, 1 / 6],
    [0, 0, 1],
  ],
  output: [
    [1, 1, 1, 1, 1, 0],
    [0, 1, -1, 2, -2, 0],
    [0, 1, 1, 4, 4, 0],
    [0, 1, -1, 8, -8, 1],
  ],
};

/**
 * Whether Winograd pays for a 3×3 convolution with padding 1 on maps of `h × w` with `c` to `k` channels: small maps, where the
 * dense transforms cost little and the direct kernel is starved (measured: 512 channels at 4×4, 40 → 17 ms; 256 at 8×8,
 * 30 → 13 ms; 128 at 16×16, 28 → 43 ms).
 */
export function winogradPays(h: number, w: number, c: number, k: number): boolean {
  return h >= 3 && w >= 3 && h * w <= 64 && Math.min(c, k) >= 128;
}

/** The plan for weights `[K, C, 3, 3]` and maps of `h × w`, zero padding 1. */
export function planWinograd(weights: Tensor, h: number, w: number): WinogradPlan {
  const filtering = filteringFor(h, w);
  return {
    ...mapTransform(filtering, h, w),
    weights: transformWeights(weights, filtering),
    frequencies: filtering.weights.length ** 2,
  };
}

/** F(2, 3) up to 4×4, F(4, 3) above. */
export function filteringFor(h: number, w: number): Filtering {
  return h <= 4 && w <= 4 ? F2 : F4;
}

/** Both transforms as matrices over some places: `input` to frequencies of `tiles` tiles, `output` back to places. */
export interface Transform {
  readonly tiles: number;
  /** `[frequencies · tiles, places]`. */
  readonly input: Tensor;
  /** `[places, frequencies · tiles]`. */
  readonly output: Tensor;
}

/** The transforms of a map of `h × w` places. */
export function mapTransform(filtering: Filtering, h: number, w: number): Transform {
  const rows = oneAxis(filtering, h);
  const columns = oneAxis(filtering, w);
  const side = filtering.m + 2;
  const tiles = rows.tiles * columns.tiles;
  const frequencies = side * side;
  const input = new Float32Array(frequencies * tiles * h * w);
  const output = new Float32Array(h * w * frequencies * tiles);
  for (let p = 0; p < side; p++) {
    for (let q = 0; q < side; q++) {
      for (let i = 0; i < rows.tiles; i++) {
        for (let j = 0; j < columns.tiles; j++) {
          const place = (p * side + q) * tiles + i * columns.tiles + j;
          for (let y = 0; y < h; y++) {
            for (let x = 0; x < w; x++) {
              input[place * h * w + y * w + x] = rows.input(p, i, y) * columns.input(q, j, x);
              output[(y * w + x) * frequencies * tiles + place] =
                rows.output(p, i, y) * columns.output(q, j, x);
            }
          }
        }
      }
    }
  }
  return {
    tiles,
    input: floatTensor([frequencies * tiles, h * w], input),
    output: floatTensor([h * w, frequencies * tiles], output),
  };
}

/** The transforms of one axis of `n` places; one after the other, both axes' are those of the map. */
export function axisTransform(filtering: Filtering, n: number): Transform {
  const { tiles, input, output } = oneAxis(filtering, n);
  const rows = (filtering.m + 2) * tiles;
  const forth = Float32Array.from({ length: rows * n }, (_, at) => {
    const row = Math.floor(at / n);
    return input(Math.floor(row / tiles), row % tiles, at % n);
  });
  const back = Float32Array.from({ length: n * rows }, (_, at) => {
    const row = at % rows;
    return output(Math.floor(row / tiles), row % tiles, Math.floor(at / rows));
  });
  return { tiles, input: floatTensor([rows, n], forth), output: floatTensor([n, rows], back) };
}

/** The weights' transform `G ⊗ G`, `[frequencies, 9]`. */
export function weightTransform({ weights: g }: Filtering): Tensor {
  const side = g.length;
  const data = Float32Array.from({ length: side * side * 9 }, (_, at) => {
    const [f, tap] = [Math.floor(at / 9), at % 9];
    return g[Math.floor(f / side)]![Math.floor(tap / 3)]! * g[f % side]![tap % 3]!;
  });
  return floatTensor([side * side, 9], data);
}

/** One axis of length `n`: coefficients of tile `t`'s frequency `p` at position `at`. */
function oneAxis({ m, input, output }: Filtering, n: number) {
  const at = (table: readonly (readonly number[])[], row: number, column: number) =>
    table[row]?.[column] ?? 0;
  return {
    tiles: Math.ceil(n / m),
    input: (p: number, t: number, place: number) => at(input, p, place - t * m + 1),
    output: (p: number, t: number, place: number) => at(output, place - t * m, p),
  };
}

/** `U[p, q] = G w Gᵀ`, `[frequencies, C, K]`, accumulated in float64. */
function transformWeights(w: Tensor, { weights: g }: Filtering): Tensor {
  const [k, c] = [w.dims[0]!, w.dims[1]!];
  const values = numbersOf(w);
  const side = g.length;
  const data = new Float32Array(side * side * c * k);
  const half = new Float64Array(side * 3);
  for (let o = 0; o < k; o++) {
    for (let i = 0; i < c; i++) {
      const from = (o * c + i) * 9;
      for (let p = 0; p < side; p++) {
        const row = g[p]!;
        for (let x = 0; x < 3; x++)
          half[p * 3 + x] =
            row[0]! * values[from + x]! + row[1]! * values[from + 3 + x]! + row[2]! * values[from + 6 + x]!;
      }
      for (let p = 0; p < side; p++) {
        for (let q = 0; q < side; q++) {
          const column = g[q]!;
          data[((p * side + q) * c + i) * k + o] =
            half[p * 3]! * column[0]! + half[p * 3 + 1]! * column[1]! + half[p * 3 + 2]! * column[2]!;
        }
      }
    }
  }
  return floatTensor([side * side, c, k], data);
}

function floatTensor(dims: readonly number[], data: Float32Array): Tensor {
  return { dtype: 'float32', dims, data: new Uint8Array(data.buffer) };
}
