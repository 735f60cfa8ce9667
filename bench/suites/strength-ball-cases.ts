import { against, art, foolbox, type Scale, type StrengthCase, torchattacks } from './strength-case.ts';

/** The same two samples of `mnist-cnn-adv` with 40 seeds of either side, the targeted stage alone. */
const BY_CHANCE =
  'The two samples of `mnist-cnn-adv` that are between them at eps 0.33 fall to its targeted APGD with 6 and 3 of 40 seeds, and to ours with 4 and 11 of 40.';

const BELOW_PGD =
  "ART's ACG and its Auto-PGD in l1 find fewer examples than plain PGD does at the same radius, so that these rows say little.";

/** Attacks within a ball, by gradient. */
export function ballCases({
  network,
  linf,
  l2,
  l1,
  short,
  long,
  slow,
  colour,
  seeds,
}: Scale): readonly StrengthCase[] {
  const few = short;
  /** Of the second network a sample or two are between the sides, by chance. */
  const again = network === 'mnist-cnn-adv' ? 3 : 1;
  const step = linf / 5;
  const step2 = l2 / 5;
  const in8 = { eps: linf };
  const inL2 = { eps: l2 };
  const momentum = (decay: number) => ({ alpha: linf / 10, steps: 10, decay });
  return [
    ...against(network, few, 'linf', 'fgsm', [torchattacks('fgsm'), foolbox('fgsm'), art('fgsm')], in8),
    ...against(network, few, 'l2', 'fgsm', [foolbox('fgsm'), art('fgsm')], inL2),
    ...against(network, few, 'l1', 'fgsm', [foolbox('fgsm'), art('fgsm')], { eps: 2 * l1 }),
    ...against(
      network,
      few,
      'linf',
      'bim(steps=10, relativeStep=0.2)',
      [torchattacks('bim', { alpha: step, steps: 10 }), foolbox('bim', { rel_stepsize: 0.2, steps: 10 })],
      in8,
    ),
    ...(['l2', 'l1'] as const).flatMap((norm) =>
      against(
        network,
        few,
        norm,
        'bim(steps=10, relativeStep=0.2)',
        [foolbox('bim', { rel_stepsize: 0.2, steps: 10 })],
        { eps: norm === 'l2' ? l2 : 2 * l1 },
      ),
    ),
    ...against(
      network,
      few,
      'linf',
      'pgd(steps=20, relativeStep=0.1)',
      [
        torchattacks('pgd', { alpha: step / 2, steps: 20 }),
        foolbox('pgd', { rel_stepsize: 0.1, steps: 20 }),
        art('pgd', { eps_step: step / 2, max_iter: 20, num_random_init: 1 }),
      ],
      { ...in8, seeds },
    ),
    ...against(
      network,
      few,
      'l2',
      'pgd(steps=20, relativeStep=0.2)',
      [
        torchattacks('pgd-l2', { alpha: step2, steps: 20 }),
        foolbox('pgd', { rel_stepsize: 0.2, steps: 20 }),
        art('pgd', { eps_step: step2, max_iter: 20, num_random_init: 1 }),
      ],
      { ...inL2, seeds },
    ),
    ...against(
      network,
      few,
      'l1',
      'pgd(steps=20, relativeStep=0.2)',
      [foolbox('pgd', { rel_stepsize: 0.2, steps: 20 })],
      { eps: 2 * l1, seeds },
    ),
    ...against(
      network,
      few,
      'linf',
      'mi-fgsm(steps=10, relativeStep=0.1, decay=1)',
      [torchattacks('mi-fgsm', momentum(1)), art('mi-fgsm', { eps_step: linf / 10, max_iter: 10, decay: 1 })],
      in8,
    ),
    ...against(
      network,
      few,
      'l2',
      'mi-fgsm(steps=10, relativeStep=0.1, decay=1)',
      [
        art('mi-fgsm', { eps_step: l2 / 10, max_iter: 10, decay: 1 }),
        foolbox('mi-fgsm', { rel_stepsize: 0.1, steps: 10, momentum: 1 }),
      ],
      inL2,
    ),
    ...against(
      network,
      few,
      'linf',
      'ni-fgsm(steps=10, relativeStep=0.1, decay=1)',
      [torchattacks('ni-fgsm', momentum(1))],
      in8,
    ),
    ...against(
      network,
      few,
      'linf',
      'vmi-fgsm(steps=10, relativeStep=0.1, decay=1, neighbours=5)',
      [torchattacks('vmi-fgsm', { ...momentum(1), N: 5 })],
      in8,
    ),
    ...against(
      network,
      few,
      'linf',
      'di-fgsm(steps=10, relativeStep=0.1)',
      [torchattacks('di-fgsm', momentum(0))],
      { ...in8, seeds },
    ),
    ...against(
      network,
      few,
      'linf',
      'eot-pgd(steps=10, relativeStep=0.2, average=2)',
      [torchattacks('eot-pgd', { alpha: step, steps: 10, eot_iter: 2 })],
      { ...in8, seeds },
    ),
    ...(['linf', 'l2'] as const).flatMap((norm) => {
      const eps = norm === 'linf' ? linf : l2;
      return [
        ...against(network, long, norm, 'apgd-ce(steps=50)', [torchattacks('apgd-ce', { steps: 50 })], {
          eps,
          seeds,
        }),
        ...against(network, long, norm, 'apgd-dlr(steps=50)', [torchattacks('apgd-dlr', { steps: 50 })], {
          eps,
          seeds,
        }),
        ...against(
          network,
          long,
          norm,
          'apgd-t(steps=20)',
          [torchattacks('apgd-t', { steps: 20, n_classes: 10 })],
          { eps, seeds },
        ),
        ...against(
          network,
          long,
          norm,
          'acg(steps=50, loss=goal)',
          [art('acg', { max_iter: 50, nb_random_init: 1, loss_type: 'cross_entropy' })],
          { eps, note: BELOW_PGD },
        ),
        ...against(
          network,
          long,
          norm,
          'acg(steps=50)',
          [art('acg', { max_iter: 50, nb_random_init: 1, loss_type: 'difference_logits_ratio' })],
          { eps, note: BELOW_PGD },
        ),
      ];
    }),
    ...against(
      network,
      long,
      'l1',
      'apgd-ce(steps=50)',
      [art('apgd-ce', { max_iter: 50, loss_type: 'cross_entropy' })],
      { eps: l1, note: BELOW_PGD },
    ),
    ...against(network, slow, 'linf', 'autoattack', [torchattacks('autoattack')], {
      ...in8,
      seeds: again,
      note: BY_CHANCE,
    }),
    ...against(network, slow, 'l2', 'autoattack', [torchattacks('autoattack')], {
      ...inL2,
      seeds: again,
    }),
    ...(colour
      ? []
      : against(
          network,
          long,
          'linf',
          'feature(steps=100)',
          [art('feature', { max_iter: 100, step_size: 0.15 * linf })],
          {
            eps: 1.5 * linf,
          },
        )),
    ...(['linf', 'l2'] as const).flatMap((norm) =>
      against(
        network,
        slow,
        norm,
        'universal(passes=3)',
        [
          art('universal', {
            max_iter: 3,
            delta: 0,
            attacker: 'deepfool',
            attacker_params: { max_iter: 20 },
          }),
        ],
        { eps: norm === 'linf' ? (colour ? 16 / 255 : 0.2 + linf) : colour ? 2 : 2 + 2 * l2 },
      ),
    ),
  ];
}
