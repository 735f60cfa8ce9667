import { float } from '../../../src/onnx/attributes.ts';
import type { CaseInput, GradientCase } from '../check-gradient.ts';

const ints = (...values: number[]): CaseInput => ({
  dims: [values.length],
  dtype: 'int64',
  values,
  constant: true,
});
const integer = (value: number): CaseInput => ({ dims: [], dtype: 'int64', values: [value], constant: true });
const scales = (...values: number[]): CaseInput => ({ dims: [values.length], values, constant: true });
const linear = (
  op: string,
  inputs: readonly (CaseInput | null)[],
  more: Partial<GradientCase> = {},
): GradientCase => ({
  op,
  inputs,
  kind: 'linear',
  ...more,
});
const x: CaseInput = { dims: [2, 3, 4] };
const image: CaseInput = { dims: [1, 2, 4, 4] };

/** Operators that move, copy or interpolate elements. */
export const CASES: readonly GradientCase[] = [
  linear('AffineGrid', [{ dims: [2, 2, 3] }, ints(2, 1, 3, 2)], { attributes: { align_corners: 1 } }),
  linear('AffineGrid', [{ dims: [1, 3, 4] }, ints(1, 1, 2, 3, 2)], { attributes: { align_corners: 1 } }),
  linear('CenterCropPad', [x, ints(3, 2, 4)]),
  linear('CenterCropPad', [x, ints(7, 1)], { attributes: { axes: [-1, 1] } }),
  linear('Compress', [x, { dims: [3], dtype: 'bool', values: [1, 0, 1], constant: true }], {
    attributes: { axis: 1 },
  }),
  linear('Compress', [{ dims: [2, 2] }, { dims: [4], dtype: 'bool', values: [0, 1, 1, 0], constant: true }]),
  linear('Concat', [x, { dims: [2, 1, 4] }, { dims: [2, 0, 4] }], { attributes: { axis: -2 } }),
  linear('Concat', [x], { attributes: { axis: 0 } }),
  linear('DepthToSpace', [{ dims: [1, 8, 2, 3] }], { attributes: { blocksize: 2 } }),
  linear('DepthToSpace', [{ dims: [1, 8, 2, 3] }], {
    attributes: { blocksize: 2, mode: 'CRD' },
    title: 'CRD',
  }),
  linear('SpaceToDepth', [{ dims: [1, 2, 4, 6] }], { attributes: { blocksize: 2 } }),
  linear('Expand', [{ dims: [3, 1] }, ints(2, 1, 4)], { perSample: [0] }),
  linear('Expand', [{ dims: [1, 3] }, ints(0, 3)]),
  linear('Flatten', [x], { attributes: { axis: 2 } }),
  linear('Flatten', [{ dims: [0, 3] }]),
  linear('GridSample', [
    image,
    { dims: [1, 1, 3, 2], values: [-0.75, 0.5, 0, -1.25, 0.25, 0.75], constant: true },
  ]),
  linear(
    'GridSample',
    [image, { dims: [1, 1, 3, 2], values: [-0.75, 0.5, 0, -1.25, 0.3, 0.7], constant: true }],
    {
      attributes: { mode: 'nearest', padding_mode: 'border' },
      title: 'nearest',
    },
  ),
  linear('Pad', [{ dims: [2, 3] }, ints(1, 0, 0, 2), { dims: [] }]),
  linear('Pad', [{ dims: [2, 4] }, ints(-1, 1), null, ints(-1)], { title: 'one axis, cropped' }),
  linear('Pad', [{ dims: [0, 2] }, ints(1, 0, 1, 0)]),
  linear('Reshape', [x, ints(0, -1)]),
  linear('Reshape', [{ dims: [0, 3] }, ints(3, 0)], { attributes: { allowzero: 1 } }),
  linear('Resize', [image, null, scales(1, 1, 2, 2)]),
  linear('Resize', [image, null, scales(1, 1, 2, 0.5)], {
    attributes: { mode: 'linear', coordinate_transformation_mode: 'asymmetric' },
    title: 'linear',
  }),
  linear('Resize', [{ dims: [1, 1, 3, 3] }, null, null, ints(5, 5)], {
    attributes: { mode: 'linear', coordinate_transformation_mode: 'align_corners', axes: [2, 3] },
    title: 'align_corners',
  }),
  linear('Resize', [image, null, scales(1, 1, 0.5, 0.25)], {
    attributes: { mode: 'cubic', cubic_coeff_a: float(-0.5) },
    title: 'cubic',
  }),
  linear('ReverseSequence', [{ dims: [4, 3, 2] }, ints(1, 4, 2)]),
  linear('Slice', [{ dims: [7, 5] }, ints(1, -1), ints(6, -100), ints(0, 1), ints(2, -3)]),
  linear('Slice', [{ dims: [7, 5] }, ints(9), ints(-9), ints(-2), ints(-2)]),
  linear('Slice', [{ dims: [4, 3] }, ints(3), ints(1)], { title: 'nothing' }),
  linear('Split', [{ dims: [2, 5] }, ints(2, 3)], { attributes: { axis: -1 }, outputs: 2, cotangents: [1] }),
  linear('Split', [{ dims: [5, 2] }], { attributes: { num_outputs: 3 }, outputs: 3, cotangents: [0, 2] }),
  linear('Squeeze', [{ dims: [3, 1, 2] }, ints(-2)]),
  linear('Squeeze', [{ dims: [1, 3, 1] }]),
  linear('Tile', [{ dims: [2, 3, 2] }, ints(2, 1, 3)]),
  linear('Tile', [{ dims: [2, 3] }, ints(0, 2)]),
  linear('Transpose', [x], { attributes: { perm: [2, 0, 1] } }),
  linear('Transpose', [x]),
  linear('Trilu', [{ dims: [2, 4, 5] }, integer(-1)], { attributes: { upper: 0 } }),
  linear('Trilu', [{ dims: [4, 5] }]),
  linear('Unsqueeze', [{ dims: [3, 2] }, ints(0, 3)]),
];
