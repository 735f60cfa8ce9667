import { ANY, against, art, foolbox, type Scale, type StrengthCase, torchattacks } from './strength-case.ts';

const ONE_FOR_ALL =
  "ART seeks one rotation and shift for all samples, ours one for each. It takes the first two axes after the batch as height and width, which in the channels' order of PyTorch makes its shift that of a single axis.";

/** Attacks that ask only. */
export function blindCases({ network, blind, short, slow, colour, seeds }: Scale): readonly StrengthCase[] {
  const shift = 2;
  const side = colour ? 32 : 28;
  const pixels = colour ? 10 : 20;
  // The peer's shifts of 2 pixels are those of a grid whose corners are pixels, a little less, and come before the rotation.
  const reach = (shift * (side - 1)) / side ** 2;
  const rate = blind.linf / 4;
  return [
    ...(['linf', 'l2'] as const).flatMap((norm) => [
      ...against(
        network,
        slow,
        norm,
        'square(queries=1000)',
        [torchattacks('square', { n_queries: 1000, resc_schedule: true })],
        { eps: blind[norm], seeds },
      ),
      ...against(
        network,
        slow,
        norm,
        'square(queries=1000, rescale=false)',
        [torchattacks('square', { n_queries: 1000, resc_schedule: false })],
        { eps: blind[norm], seeds },
      ),
      ...against(
        network,
        slow,
        norm,
        'square(queries=ASKED)',
        [art('square', { max_iter: 1000, nb_restarts: 1, p_init: 0.8 })],
        { eps: blind[norm], seeds: colour ? 1 : seeds },
      ),
    ]),
    ...against(
      network,
      slow,
      'linf',
      `spsa(steps=10, samples=64, learningRate=${rate})`,
      [torchattacks('spsa', { nb_iter: 10, nb_sample: 64, lr: rate })],
      { eps: blind.linf, seeds },
    ),
    ...against(
      network,
      slow,
      'l0',
      `one-pixel(pixels=${pixels}, steps=10, population=${(colour ? 5 : 3) * pixels})`,
      [torchattacks('one-pixel', { pixels, steps: 10, popsize: (colour ? 5 : 3) * pixels })],
      { eps: (colour ? 3 : 1) * pixels, seeds },
    ),
    ...against(
      network,
      slow,
      'l0',
      `one-pixel(pixels=${pixels}, steps=10, population=${colour ? 400 : 360})`,
      [art('one-pixel', { th: pixels, es: 1, max_iter: 10 })],
      { eps: (colour ? 3 : 1) * pixels, seeds: colour ? 4 : seeds },
    ),
    ...against(
      network,
      slow,
      'l2',
      'simba(basis=pixel, stepSize=0.2, queries=1001)',
      [art('simba', { attack: 'px', epsilon: 0.2, max_iter: 500 })],
      { eps: ANY, seeds },
    ),
    ...against(
      network,
      slow,
      'l2',
      'simba(basis=dct, stepSize=0.2, queries=1001)',
      [art('simba', { attack: 'dct', epsilon: 0.2, max_iter: 500, freq_dim: 4 })],
      { eps: ANY, seeds },
    ),
    ...against(
      network,
      slow,
      'l2',
      'zoo(steps=20, binarySearchSteps=1, initialConst=10, learningRate=0.1, queries=6000)',
      [
        art('zoo', {
          max_iter: 20,
          binary_search_steps: 1,
          initial_const: 10,
          learning_rate: 0.1,
          use_resize: false,
          use_importance: false,
          nb_parallel: 128,
        }),
      ],
    ),
    ...(['l2', 'linf'] as const).flatMap((norm) => [
      ...against(
        network,
        slow,
        norm,
        'hop-skip-jump(steps=5, queries=ASKED)',
        [foolbox('hop-skip-jump', { steps: 5 })],
        // Medians over few colour pictures differ by a tenth from seed to seed.
        { startable: true, ...(colour && norm === 'l2' && { seeds: 4 }) },
      ),
      ...against(network, slow, norm, 'hop-skip-jump(steps=5, queries=ASKED)', [
        art('hop-skip-jump', { max_iter: 5, init_eval: 100 }),
      ]),
      ...against(network, slow, norm, 'geoda(queries=ASKED)', [art('geoda', { max_iter: 1000 })]),
    ]),
    ...against(network, slow, 'l2', 'sign-opt(queries=ASKED)', [
      art('sign-opt', { query_limit: colour ? 1000 : 2000, k: 100, max_iter: 1000 }),
    ]),
    ...against(network, slow, 'l2', 'boundary(queries=ASKED)', [art('boundary', { max_iter: 50 })]),
    ...against(network, slow, 'l2', 'boundary(queries=ASKED)', [foolbox('boundary', { steps: 1500 })], {
      startable: true,
    }),
    ...against(network, slow, 'l0', 'pointwise(queries=ASKED)', [foolbox('pointwise')], {
      startable: true,
    }),
    ...against(
      network,
      short,
      'l2',
      `spatial(first=shift, search=climb, tries=375, rotation=15, translation=${reach})`,
      [
        foolbox('spatial', {
          max_translation: shift,
          max_rotation: 15,
          num_translations: 5,
          num_rotations: 15,
        }),
      ],
      { eps: ANY, seeds },
    ),
    ...against(
      network,
      short,
      'l2',
      `spatial(first=shift, search=climb, tries=375, rotation=15, translation=${2 / side})`,
      [
        art('spatial', {
          ...{ max_translation: 200 / side, num_translations: 5, max_rotation: 15, num_rotations: 15 },
        }),
      ],
      { eps: ANY, seeds, note: ONE_FOR_ALL },
    ),
  ];
}
