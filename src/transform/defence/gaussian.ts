import { numberIn } from '../../core/option-checks.ts';
import type { Draft } from '../draft.ts';
import { defineDefence } from './defence.ts';
import { withEdge } from './edge.ts';

/** Options of Gaussian smoothing. */
export interface GaussianOptions {
  /** Standard deviation of the kernel in pixels, up to 10. */
  readonly sigma: number;
}

/** The kernel ends after so many standard deviations. */
const REACH = 3;

/** Every value becomes the mean around it under a Gaussian: one convolution along each axis, edge pixels repeated outwards. */
export const gaussian = defineDefence<GaussianOptions>({
  id: 'gaussian',
  title: 'Gaussian smoothing',
  source: 'https://arxiv.org/abs/1704.01155',
  use: "Takes fine patterns away, the attacker's and the picture's. It is linear: attackers go straight through.",
  random: false,
  defaults: { sigma: 1 },
  check(options) {
    numberIn(options, 'sigma', 0, 10);
  },
  apply(draft, x, { channels }, { sigma }) {
    const kernel = gaussianKernel(sigma);
    const reach = (kernel.length - 1) / 2;
    const rows = alongAxis(
      draft,
      withEdge(draft, x, { top: reach, left: 0, bottom: reach, right: 0 }),
      kernel,
      [kernel.length, 1],
      channels,
    );
    const wide = withEdge(draft, rows, { top: 0, left: reach, bottom: 0, right: reach });
    return alongAxis(draft, wide, kernel, [1, kernel.length], channels);
  },
});

/** Weights at −reach … reach, which sum to 1; reach is 3 σ, rounded up. */
export function gaussianKernel(sigma: number): readonly number[] {
  const reach = Math.ceil(REACH * sigma);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * sigma ** 2)),
  );
  const total = weights.reduce((sum, w) => sum + w, 0);
  return weights.map((w) => w / total);
}

/** Each channel convolved with the same kernel. */
function alongAxis(
  draft: Draft,
  x: string,
  kernel: readonly number[],
  side: readonly [number, number],
  channels: number,
): string {
  const weights = Array.from({ length: channels }, () => kernel).flat();
  return draft.node('Conv', [x, draft.floats([channels, 1, ...side], weights)], {
    kernel_shape: side,
    group: channels,
  });
}
