import { type AttributeInput, float } from '../../../src/onnx/attributes.ts';
import { float32, int64, type RuntimeCase } from '../runtime-check.ts';

const COORDINATES = [
  'half_pixel',
  'half_pixel_symmetric',
  'pytorch_half_pixel',
  'asymmetric',
  'align_corners',
  'tf_crop_and_resize',
];
const SCALES: readonly (readonly [number, number])[] = [
  [2, 2],
  [1.7, 0.6],
  [0.21, 2.5],
];

function scaled(
  attributes: Readonly<Record<string, AttributeInput>>,
  scale: readonly [number, number],
): RuntimeCase {
  const crop = attributes.coordinate_transformation_mode === 'tf_crop_and_resize';
  return {
    name: `${JSON.stringify(attributes)} by ${scale}`,
    inputs: [{ dims: [1, 2, 5, 4] }],
    make: (b, x) =>
      b.node(
        'Resize',
        [x[0]!, crop ? float32(b, [0, 0, 0.1, -0.2, 1, 1, 0.8, 1.1]) : null, float32(b, [1, 1, ...scale])],
        attributes,
      ),
    dtype: 'float32',
  };
}

const modes = COORDINATES.flatMap((coordinate_transformation_mode) =>
  SCALES.flatMap((scale) => [
    ...['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'].map((nearest_mode) =>
      scaled({ mode: 'nearest', nearest_mode, coordinate_transformation_mode }, scale),
    ),
    ...[0, 1].map((antialias) =>
      scaled({ mode: 'linear', antialias, coordinate_transformation_mode }, scale),
    ),
    ...[0, 1].flatMap((antialias) =>
      [0, 1].map((exclude_outside) =>
        scaled(
          {
            mode: 'cubic',
            antialias,
            exclude_outside,
            coordinate_transformation_mode,
            cubic_coeff_a: float(-0.6),
          },
          scale,
        ),
      ),
    ),
  ]),
);

const sized = ['stretch', 'not_larger', 'not_smaller'].flatMap((keep_aspect_ratio_policy) =>
  ['nearest', 'linear', 'cubic'].map(
    (mode): RuntimeCase => ({
      name: `${mode} to sizes, ${keep_aspect_ratio_policy}`,
      inputs: [{ dims: [1, 2, 5, 4] }],
      make: (b, x) =>
        b.node('Resize', [x[0]!, null, null, int64(b, [7, 9])], {
          mode,
          axes: [2, 3],
          keep_aspect_ratio_policy,
        }),
      dtype: 'float32',
    }),
  ),
);

const by = (
  name: string,
  dims: readonly number[],
  scales: readonly number[],
  attributes: Readonly<Record<string, AttributeInput>>,
): RuntimeCase => ({
  name,
  inputs: [{ dims }],
  make: (b, x) => b.node('Resize', [x[0]!, null, float32(b, scales)], attributes),
  dtype: 'float32',
});

/** Interpolation: every mode, coordinate transformation and rounding that the runtime has. */
export const RESIZE_CASES: readonly RuntimeCase[] = [
  ...modes,
  ...sized,
  by('whole factors', [1, 2, 5, 4], [1, 1, 2, 3], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  }),
  by('a long axis, doubled', [1, 1, 1, 130], [1, 1, 1, 2], { mode: 'linear' }),
  by('a long axis, halved', [1, 1, 1, 180], [1, 1, 1, 0.5], { mode: 'nearest' }),
  by('five axes', [1, 1, 3, 4, 2], [1, 1, 1.5, 2, 0.5], { mode: 'linear' }),
  by('batch and width', [2, 3, 4], [2, 1, 2], { mode: 'nearest' }),
];
