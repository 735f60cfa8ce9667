import { describe, it } from 'vitest';
import { CONV_TRANSPOSE_CASES } from './runtime-cases/conv-transpose.ts';
import { GRID_SAMPLE_CASES } from './runtime-cases/grid-sample.ts';
import { NORMALISATION_CASES } from './runtime-cases/normalisation.ts';
import { POOL_CASES } from './runtime-cases/pool.ts';
import { RESIZE_CASES } from './runtime-cases/resize.ts';
import { SCATTER_CASES } from './runtime-cases/scatter.ts';
import { SHAPE_CASES } from './runtime-cases/shape.ts';
import { SPECTRAL_CASES } from './runtime-cases/spectral.ts';
import { checkAgainstRuntime, type RuntimeCase } from './runtime-check.ts';

const FAMILIES: Readonly<Record<string, readonly RuntimeCase[]>> = {
  'transposed convolution': CONV_TRANSPOSE_CASES,
  'grid sampling': GRID_SAMPLE_CASES,
  normalisation: NORMALISATION_CASES,
  pooling: POOL_CASES,
  resizing: RESIZE_CASES,
  'gathering and scattering': SCATTER_CASES,
  shape: SHAPE_CASES,
  'Fourier transforms': SPECTRAL_CASES,
};

describe.each(Object.entries(FAMILIES))('gradients against the runtime: %s', (_, cases) => {
  it.each(cases.map((c) => [c.name, c] as const))('%s', async (_name, c) => {
    await checkAgainstRuntime(c);
  });
});
