import { ANY, against, art, type Scale, type StrengthCase } from './strength-case.ts';

/** ART's bound holds up to its own accuracy. */
const LOOSE =
  'ART projects onto its Wasserstein ball until its own loop ends, and judges nothing by the distance; what lies outside counts in its favour here: none of its six examples on `mnist-cnn-adv` holds the light of its picture (0.4 to 6.4 % is lost), so that none is in the ball that ours keep to.';

/** Attacks with a threat of their own. */
export function otherCases({ network, short, slow, colour, seeds }: Scale): readonly StrengthCase[] {
  const scale = colour ? 0.3 : 0.4;
  const light = colour ? 0.05 : 0.3;
  return [
    // Grey pictures have no hue, and the peer takes none of them. One order on both sides, and a round of ten steps for each change.
    ...(colour
      ? against(
          network,
          short,
          'l2',
          'composite(hue=18, saturation=0.1, rotation=3, brightness=0.05, contrast=0.1, linf=0.00196, order=fixed, rounds=1)',
          [
            art('composite', {
              ...{
                hue_epsilon: [-Math.PI / 10, Math.PI / 10],
                sat_epsilon: [0.9, 1.1],
                rot_epsilon: [-3, 3],
              },
              ...{ bri_epsilon: [-0.05, 0.05], con_epsilon: [0.9, 1.1], pgd_epsilon: [-0.00196, 0.00196] },
              ...{ attack_order: 'fixed', max_inner_iter: 10 },
            }),
          ],
          { eps: ANY, seeds },
        )
      : []),
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
