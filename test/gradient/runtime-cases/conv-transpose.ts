import type { AttributeInput } from '../../../src/onnx/attributes.ts';
import type { RuntimeCase } from '../runtime-check.ts';

const GEOMETRIES: readonly Readonly<Record<string, AttributeInput>>[] = [
  { kernel_shape: [3, 2] },
  { kernel_shape: [1, 1], strides: [2, 2] },
  { kernel_shape: [3, 2], strides: [2, 3], pads: [1, 0, 0, 1] },
  { kernel_shape: [3, 3], strides: [2, 2], output_padding: [1, 1], dilations: [2, 1] },
  { kernel_shape: [3, 3], strides: [3, 2], auto_pad: 'SAME_UPPER' },
  { kernel_shape: [1, 2], strides: [3, 2], auto_pad: 'SAME_UPPER' },
  { kernel_shape: [4, 3], strides: [2, 2], auto_pad: 'SAME_LOWER' },
  { kernel_shape: [3, 2], strides: [2, 2], auto_pad: 'VALID' },
  { kernel_shape: [3, 3], strides: [2, 2], output_shape: [8, 9] },
];

/** Transposed convolution: groups, strides, dilations, every way to pad. */
export const CONV_TRANSPOSE_CASES: readonly RuntimeCase[] = [
  ...GEOMETRIES.map(
    (attributes): RuntimeCase => ({
      name: JSON.stringify(attributes),
      inputs: [
        { dims: [2, 4, 4, 4] },
        { dims: [4, 3, ...(attributes.kernel_shape as number[])] },
        { dims: [6] },
      ],
      make: (b, x) => b.node('ConvTranspose', x, { ...attributes, group: 2 }),
      dtype: 'float32',
      perSample: [1, 2],
    }),
  ),
  {
    name: 'one dimension, no bias',
    inputs: [{ dims: [2, 2, 4] }, { dims: [2, 3, 3] }],
    make: (b, x) => b.node('ConvTranspose', x, { strides: [2] }),
    dtype: 'float32',
  },
];
