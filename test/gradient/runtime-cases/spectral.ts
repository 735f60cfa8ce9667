import { int64, type RuntimeCase } from '../runtime-check.ts';

const dft = (
  name: string,
  dims: readonly number[],
  length: number | null,
  axis: number | null,
  attributes: Readonly<Record<string, number>>,
): RuntimeCase => ({
  name,
  inputs: [{ dims }],
  make: (b, [x]) => {
    const scalar = (v: number | null) => (v === null ? null : int64(b, [v], []));
    return b.node('DFT', [x!, scalar(length), scalar(axis)], attributes);
  },
  dtype: 'float32',
});

/** Fourier transforms. */
export const SPECTRAL_CASES: readonly RuntimeCase[] = [
  dft('DFT of a real signal', [2, 5, 1], null, null, {}),
  dft('DFT of a real signal, one-sided', [2, 6, 1], null, null, { onesided: 1 }),
  dft('DFT of a complex signal along axis 1', [2, 4, 3, 2], null, 1, {}),
  dft('DFT, padded', [2, 5, 1], 8, null, {}),
  dft('DFT, cut', [2, 6, 2], 4, -2, {}),
  dft('DFT, inverse', [2, 5, 2], null, null, { inverse: 1 }),
  {
    name: 'STFT with a window, one-sided',
    inputs: [{ dims: [2, 11, 1] }, { dims: [4], fixed: true }],
    make: (b, [x, w]) => b.node('STFT', [x!, int64(b, [2], []), w!, int64(b, [4], [])], { onesided: 1 }),
    dtype: 'float32',
  },
  {
    name: 'STFT without a window, two-sided',
    inputs: [{ dims: [1, 9, 1] }],
    make: (b, [x]) => b.node('STFT', [x!, int64(b, [3], []), null, int64(b, [3], [])], { onesided: 0 }),
    dtype: 'float32',
  },
];
