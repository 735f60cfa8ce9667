/** Networks that strength is compared on. */
export const STRENGTH_NETWORKS = ['mnist-cnn', 'mnist-cnn-adv', 'cifar10-resnet14'] as const;

type Network = (typeof STRENGTH_NETWORKS)[number];

/** One of our attacks and a peer's on one network, at equal steps or queries. */
export interface StrengthCase {
  /** Our attack, for `--only`. */
  readonly name: string;
  readonly network: Network;
  readonly norm: 'linf' | 'l2' | 'l1' | 'l0';
  /** Radius within which an example counts; attacks that seek the nearest one have none. */
  readonly eps?: number;
  /** The first test samples. Attacked are those that the network gets right. */
  readonly n: number;
  /** Our attack and its options; `ASKED` stands for the peer's queries per sample. */
  readonly ours: string;
  readonly library: 'torchattacks' | 'foolbox' | 'art';
  /** The peer's attack in bench/peers/strength.py, and its options. */
  readonly theirs: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Random attacks run with as many seeds; figures are means over them. */
  readonly seeds: number;
  /** Only samples that foolbox's start fools; its attack ends with an error on others. */
  readonly startable: boolean;
  /** What settings do not say. */
  readonly note?: string;
}

/** What differs between the networks: radii at which between a third and nine tenths of the samples fall, and counts of samples. */
interface Scale {
  readonly network: Network;
  readonly linf: number;
  readonly l2: number;
  readonly l1: number;
  /** A radius for attacks without gradients. */
  readonly blind: { readonly linf: number; readonly l2: number };
  /** Samples for attacks of some steps, of hundreds of steps, and of thousands. */
  readonly short: number;
  readonly long: number;
  readonly slow: number;
  readonly colour: boolean;
  /** Seeds of random attacks. */
  readonly seeds: number;
  /** Whether all peers are asked that have an attack by gradient, or the first of them. */
  readonly every: boolean;
}

const SCALES: readonly Scale[] = [
  {
    network: 'mnist-cnn',
    linf: 0.12,
    l2: 1.4,
    l1: 7,
    blind: { linf: 0.15, l2: 2 },
    short: 100,
    long: 100,
    slow: 32,
    colour: false,
    seeds: 4,
    every: true,
  },
  {
    network: 'mnist-cnn-adv',
    linf: 0.33,
    l2: 2,
    l1: 6,
    blind: { linf: 0.36, l2: 3 },
    short: 50,
    long: 50,
    slow: 32,
    colour: false,
    seeds: 3,
    every: false,
  },
  {
    network: 'cifar10-resnet14',
    linf: 1 / 255,
    l2: 0.15,
    l1: 3,
    blind: { linf: 2 / 255, l2: 0.4 },
    short: 36,
    long: 36,
    slow: 34,
    colour: true,
    seeds: 2,
    every: false,
  },
];

/** A radius that every example lies in: whether there is one is what counts. */
const ANY = 1000;

type Peer = Pick<StrengthCase, 'library' | 'theirs'> & { readonly options?: StrengthCase['options'] };
type Rest = Partial<Pick<StrengthCase, 'eps' | 'seeds' | 'startable' | 'note'>>;

const of =
  (library: StrengthCase['library']) =>
  (theirs: string, options: StrengthCase['options'] = {}): Peer => ({ library, theirs, options });
const torchattacks = of('torchattacks');
const foolbox = of('foolbox');
const art = of('art');

/** Why some rows say little. */
const BELOW_PGD =
  "ART's ACG and its Auto-PGD in l1 find fewer examples than plain PGD does at the same radius, so that these rows say little.";

/** `name(options)` against each of `peers`. */
function against(
  network: Network,
  n: number,
  norm: StrengthCase['norm'],
  ours: string,
  peers: readonly Peer[],
  rest: Rest = {},
): readonly StrengthCase[] {
  const name = ours.split('(', 1)[0]!;
  return peers.map((peer) => ({
    name,
    network,
    norm,
    n,
    ours,
    library: peer.library,
    theirs: peer.theirs,
    options: peer.options ?? {},
    seeds: 1,
    startable: false,
    ...rest,
  }));
}

/** Attacks within a ball, by gradient. */
function ballCases({
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
  const step = linf / 5;
  const step2 = l2 / 5;
  const in8 = { eps: linf };
  const inL2 = { eps: l2 };
  const momentum = (decay: number) => ({ alpha: linf / 10, steps: 10, decay });
  return [
    ...against(network, few, 'linf', 'fgsm', [torchattacks('fgsm'), foolbox('fgsm'), art('fgsm')], in8),
    ...against(network, few, 'l2', 'fgsm', [foolbox('fgsm'), art('fgsm')], inL2),
    ...against(
      network,
      few,
      'linf',
      'bim(steps=10, relativeStep=0.2)',
      [torchattacks('bim', { alpha: step, steps: 10 }), foolbox('bim', { rel_stepsize: 0.2, steps: 10 })],
      in8,
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
    ...against(network, slow, 'linf', 'autoattack', [torchattacks('autoattack')], in8),
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
    ...against(
      network,
      slow,
      'linf',
      'universal(passes=3)',
      [art('universal', { max_iter: 3, delta: 0, attacker: 'deepfool', attacker_params: { max_iter: 20 } })],
      { eps: colour ? 16 / 255 : 0.2 + linf },
    ),
  ];
}

/** Attacks that seek the nearest example by gradient; our refinement is off, so that the steps are what is compared. */
function minimumCases({ network, linf, l2, short, long, slow, colour }: Scale): readonly StrengthCase[] {
  const rate = colour ? 0.01 : 0.1;
  const searches = colour ? 3 : 5;
  const some = colour ? long : 50;
  const c = colour ? 1 : 10;
  return [
    ...against(network, short, 'l2', 'deepfool(steps=50, refine=false)', [
      foolbox('deepfool', { steps: 50, candidates: 10 }),
      torchattacks('deepfool', { steps: 50 }),
      art('deepfool', { max_iter: 50, epsilon: 0.02, nb_grads: 10 }),
    ]),
    ...against(network, short, 'linf', 'deepfool(steps=50, refine=false)', [
      foolbox('deepfool', { steps: 50, candidates: 10 }),
    ]),
    ...against(
      network,
      some,
      'l2',
      `cw-l2(steps=100, stepSize=${rate}, searchSteps=${searches}, refine=false)`,
      [foolbox('cw-l2', { steps: 100, stepsize: rate, binary_search_steps: searches })],
    ),
    ...against(
      network,
      some,
      'l2',
      `cw-l2(steps=100, stepSize=${rate}, searchSteps=1, initialConst=${c}, abortEarly=false, refine=false)`,
      [
        foolbox('cw-l2', {
          steps: 100,
          stepsize: rate,
          binary_search_steps: 1,
          initial_const: c,
          abort_early: false,
        }),
      ],
    ),
    ...against(
      network,
      some,
      'l2',
      `cw-l2(steps=100, stepSize=${rate}, searchSteps=1, initialConst=${c}, shrink=1, abortEarly=${colour}, refine=false)`,
      [torchattacks('cw-l2', { c, steps: 100, lr: rate })],
    ),
    ...against(network, slow, 'linf', 'cw-linf(steps=30, refine=false)', [art('cw-linf', { max_iter: 30 })]),
    ...against(network, slow, 'l0', 'cw-l0(steps=30, refine=false)', [art('cw-l0', { max_iter: 30 })]),
    ...against(network, some, 'l1', `ead(steps=100, searchSteps=${searches}, refine=false)`, [
      foolbox('ead', { steps: 100, decision_rule: 'L1', binary_search_steps: searches }),
    ]),
    ...against(network, some, 'l1', `ead(steps=100, searchSteps=${searches}, beta=0.001, refine=false)`, [
      torchattacks('ead', { max_iterations: 100, binary_search_steps: searches }),
    ]),
    ...against(network, short, 'l2', 'ddn(steps=50, refine=false)', [foolbox('ddn', { steps: 50 })]),
    ...(['linf', 'l2', 'l1', 'l0'] as const).flatMap((norm) =>
      against(network, some, norm, 'fmn(steps=50, refine=false)', [foolbox('fmn', { steps: 50 })]),
    ),
    ...(['linf', 'l2', 'l1', 'l0'] as const).flatMap((norm) =>
      against(network, slow, norm, 'brendel-bethge(steps=50, refine=false)', [
        foolbox('brendel-bethge', { steps: 50, batch: 1 }),
      ]),
    ),
    ...(['linf', 'l2'] as const).flatMap((norm) => [
      ...against(network, some, norm, 'fab(steps=20, refine=false)', [
        torchattacks('fab', { steps: 20, n_restarts: 1 }),
      ]),
      // The peer goes on to the next class where the last one led to nothing within the radius.
      ...against(
        network,
        slow,
        norm,
        'fab-t(steps=20, refine=false)',
        [torchattacks('fab-t', { steps: 20, n_restarts: 1, multi_targeted: true, n_classes: 10 })],
        { eps: norm === 'linf' ? linf : l2 },
      ),
    ]),
    ...against(network, slow, 'l0', 'jsma(gamma=1, direction=increase, refine=false)', [
      torchattacks('jsma', { theta: 1, gamma: colour ? 0.02 : 1 }),
    ]),
    ...against(network, some, 'l0', 'sparsefool(steps=10, refine=false)', [
      torchattacks('sparsefool', { steps: 10, lam: 3 }),
    ]),
  ];
}

/** Attacks that ask only. */
function blindCases({ network, blind, short, slow, colour, seeds }: Scale): readonly StrengthCase[] {
  const shift = 2;
  const side = colour ? 32 : 28;
  const pixels = colour ? 10 : 20;
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
    ]),
    ...against(
      network,
      slow,
      'linf',
      `spsa(steps=10, samples=64, learningRate=${rate})`,
      [torchattacks('spsa', { nb_iter: 10, nb_sample: 64, lr: rate })],
      { eps: blind.linf },
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
        { startable: true },
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
    ...against(network, slow, 'l0', 'pointwise(restarts=1, queries=ASKED)', [foolbox('pointwise')], {
      startable: true,
    }),
    ...against(
      network,
      short,
      'l2',
      `spatial(rotation=15, angles=15, translation=${shift / side})`,
      [
        foolbox('spatial', {
          max_translation: shift,
          max_rotation: 15,
          num_translations: 5,
          num_rotations: 15,
        }),
      ],
      { eps: ANY },
    ),
  ];
}

/** The first peer of each attack, unless all are wanted. */
function chosenPeers({ every }: Scale, cases: readonly StrengthCase[]): readonly StrengthCase[] {
  const isAlike = (a: StrengthCase, b: StrengthCase) => a.ours === b.ours && a.norm === b.norm;
  return every ? cases : cases.filter((each, i) => cases.findIndex((other) => isAlike(each, other)) === i);
}

/** All cases, network by network. */
export const STRENGTH_CASES: readonly StrengthCase[] = SCALES.flatMap((scale) => [
  ...chosenPeers(scale, [...ballCases(scale), ...minimumCases(scale)]),
  ...blindCases(scale),
]);
