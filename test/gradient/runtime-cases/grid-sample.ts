import { int64, type RuntimeCase } from '../runtime-check.ts';

function cases(): RuntimeCase[] {
  const list: RuntimeCase[] = [];
  for (const padding_mode of ['zeros', 'border', 'reflection']) {
    for (const align_corners of [0, 1]) {
      for (const mode of ['nearest', 'linear', 'cubic']) {
        const attributes = { mode, padding_mode, align_corners };
        const make: RuntimeCase['make'] = (b, x) => b.node('GridSample', x, attributes);
        list.push({
          name: JSON.stringify(attributes),
          inputs: [{ dims: [2, 3, 4, 5] }, { dims: [2, 3, 2, 2], low: -2, high: 2 }],
          make,
        });
        if (mode === 'cubic') continue;
        list.push({
          name: `3-D ${JSON.stringify(attributes)}`,
          inputs: [{ dims: [2, 2, 3, 4, 5] }, { dims: [2, 2, 1, 2, 3], low: -1.5, high: 1.5 }],
          make,
        });
      }
    }
  }
  for (const align_corners of [0, 1]) {
    list.push(
      {
        name: `affine grid ${align_corners}`,
        inputs: [{ dims: [2, 2, 3] }],
        make: (b, x) => b.node('AffineGrid', [x[0]!, int64(b, [2, 3, 4, 5])], { align_corners }),
      },
      {
        name: `affine grid, 3-D ${align_corners}`,
        inputs: [{ dims: [2, 3, 4] }],
        make: (b, x) => b.node('AffineGrid', [x[0]!, int64(b, [2, 3, 4, 5, 2])], { align_corners }),
      },
    );
  }
  return list;
}

/** Sampling at the points of a grid: every mode, padding and alignment. */
export const GRID_SAMPLE_CASES: readonly RuntimeCase[] = cases();
