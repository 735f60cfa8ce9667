import { ANY, against, art, type Scale, type StrengthCase } from './strength-case.ts';

/** ART's bound holds up to its own accuracy. */
const LOOSE =
  'ART projects onto its Wasserstein ball until its own loop ends, and judges nothing by the distance; what lies outside counts in its favour here.';

/**
 * Attacks with a threat of their own. ART's composite attack needs kornia, which belongs to no pinned environment, and looks for its orders of
 * changes with other ranges in each; it has no case.
 */
export function otherCases({ network, short, slow, colour, seeds }: Scale): readonly StrengthCase[] {
  const scale = colour ? 0.3 : 0.4;
  const light = colour ? 0.05 : 0.3;
  return [
    ...against(
      network,
      short,
      'l2',
      `patch(size=${scale}, smallest=1, rotation=20, brightness=0, contrast=0, passes=20)`,
      [art('patch', { scale, rotation_max: 20, max_iter: 20, batch_size: 16, learning_rate: 0.1 })],
      { eps: ANY, seeds },
    ),
    ...against(
      network,
      slow,
      'l2',
      `wasserstein(eps=${light}, kernel=5, steps=40)`,
      [
        art('wasserstein', {
          ...{ p: 1, kernel_size: 5, eps: light, eps_iter: 41, eps_step: light / 5, max_iter: 40 },
          ...{ conjugate_sinkhorn_max_iter: 50, projected_sinkhorn_max_iter: 50 },
        }),
      ],
      { eps: ANY, note: LOOSE },
    ),
  ];
}
