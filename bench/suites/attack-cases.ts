/** A library that has the attack too. */
export interface AttackPeer {
  readonly library: 'torchattacks' | 'foolbox' | 'art';
  /** How many times faster ours is meant to be. */
  readonly wanted: number;
  /** Samples at once, where it is not the batch that suits the library best. */
  readonly batch?: number;
  /** The memory layout, where the quickest one makes the library fail. */
  readonly layout?: 'nchw';
  /** Said in tables: how it works where that is not by batches. */
  readonly way?: string;
}

/** One attack on one network, with the same hyper-parameters on all sides. */
export interface AttackCase {
  /** Name for `--only`. */
  readonly name: string;
  readonly network: 'mnist-cnn' | 'cifar10-resnet14';
  /** The first test samples. */
  readonly n: number;
  readonly norm: 'linf' | 'l2';
  /** Radius; attacks that seek the nearest example have none. */
  readonly eps?: number;
  /** Our attack and its options, as the command line takes them. */
  readonly ours: string;
  /** Our attack with `BUDGET` in place of its queries a sample, where it is also timed until it is as near as a peer is at its end. */
  readonly until?: string;
  /** The peers' attack in bench/peers/attacks.py. */
  readonly theirs: string;
  /** The peers' hyper-parameters, beside norm and eps. */
  readonly settings: Readonly<Record<string, number | boolean>>;
  readonly peers: readonly AttackPeer[];
  /**
   * Most by which our robust accuracy may lie above a peer's; without eps, the most by which our median distance may be greater, as a
   * share.
   */
  readonly tolerance: number;
  /** Samples that each side attacks once before it is timed; all without. */
  readonly warmup?: number;
  /** Most rounds: what takes minutes gets one. */
  readonly rounds?: number;
  /** Timed repetitions in a round; 1 without. */
  readonly repeat?: number;
  /** Whole programs, from the command line, start and loading included. */
  readonly program?: boolean;
  /** Runs only where `--only` names it. */
  readonly extra?: boolean;
}

type Network = AttackCase['network'];

/** What is aimed at against the quickest peer. */
const WANTED: Readonly<Record<Network, number>> = { 'mnist-cnn': 2, 'cifar10-resnet14': 1.5 };
/** What is aimed at against a peer that goes sample by sample. */
const SINGLE = 10;

const peersOf = (network: Network, ...libraries: AttackPeer['library'][]): AttackPeer[] =>
  libraries.map((library) => ({ library, wanted: WANTED[network] }));
const single = (library: AttackPeer['library'], batch?: number): AttackPeer => ({
  library,
  wanted: SINGLE,
  way: 'sample by sample',
  ...(batch !== undefined && { batch }),
});

/** A peer's median or accuracy may be better than ours by 2 %, where draws are random or rounding decides; of steps along signs by 1 %. */
const ALIKE = 0.01;
const CLOSE = 0.02;

type Size = Pick<AttackCase, 'n' | 'warmup' | 'repeat' | 'rounds'>;
const on = (network: Network, name: string) => ({ network, name });

/** Sign steps, in linf without a random start. */
function pgdCase(network: Network, steps: number, eps: number, stepSize: number, size: Size): AttackCase {
  return {
    ...on(network, `pgd-${steps}`),
    ...size,
    norm: 'linf',
    eps,
    ours: `pgd(steps=${steps}, stepSize=${stepSize}, restarts=0)`,
    theirs: 'pgd',
    settings: { steps, stepSize },
    peers: peersOf(network, 'torchattacks', 'foolbox', 'art'),
    tolerance: ALIKE,
  };
}

function fgsmCase(network: Network, eps: number, size: Size): AttackCase {
  return {
    ...on(network, 'fgsm'),
    ...size,
    norm: 'linf',
    eps,
    ours: 'fgsm',
    theirs: 'fgsm',
    settings: {},
    peers: peersOf(network, 'torchattacks', 'foolbox', 'art'),
    tolerance: ALIKE,
  };
}

function pgdL2Case(network: Network, eps: number, stepSize: number, size: Size): AttackCase {
  const signs = pgdCase(network, 40, eps, stepSize, size);
  return {
    ...signs,
    name: 'pgd-l2',
    norm: 'l2',
    // torchattacks flattens the gradient with a view, which several channels in another order do not have.
    peers: signs.peers.map((peer) => (peer.library === 'torchattacks' ? { ...peer, layout: 'nchw' } : peer)),
  };
}

/** One constant and no search for it. A descent that stalls ends early on all sides; the peers ask that of a whole batch. */
function cwCase(network: Network, c: number, stepSize: number, size: Size): AttackCase {
  return {
    ...on(network, 'cw-l2'),
    ...size,
    norm: 'l2',
    ours: `cw-l2(steps=100, stepSize=${stepSize}, searchSteps=1, initialConst=${c}, refine=false)`,
    theirs: 'cw-l2',
    settings: { steps: 100, stepSize, c },
    peers: peersOf(network, 'torchattacks', 'foolbox'),
    tolerance: CLOSE,
  };
}

function deepFoolCase(network: Network, size: Size): AttackCase {
  return {
    ...on(network, 'deepfool'),
    ...size,
    norm: 'l2',
    ours: 'deepfool(steps=50, overshoot=0.02, refine=false)',
    theirs: 'deepfool',
    settings: { steps: 50, overshoot: 0.02 },
    peers: [
      ...peersOf(network, 'foolbox', 'art'),
      { library: 'torchattacks', wanted: WANTED[network], way: 'sample by sample' },
    ],
    tolerance: CLOSE,
  };
}

/** 1,000 queries on the schedule that AutoAttack uses; ART has its own, stretched to the budget. */
function squareCase(network: Network, eps: number, size: Size): AttackCase {
  return {
    ...on(network, 'square'),
    ...size,
    norm: 'linf',
    eps,
    ours: 'square(queries=1000, rescale=false)',
    theirs: 'square',
    settings: { queries: 1000, stretched: false },
    peers: peersOf(network, 'torchattacks', 'art'),
    tolerance: CLOSE,
  };
}

function hopSkipJumpCase(network: Network, steps: number, size: Size): AttackCase {
  return {
    ...on(network, 'hop-skip-jump'),
    ...size,
    norm: 'l2',
    ours: `hop-skip-jump(steps=${steps}, initEval=100)`,
    until: `hop-skip-jump(steps=${steps}, initEval=100, queries=BUDGET)`,
    theirs: 'hop-skip-jump',
    settings: { steps, initEval: 100 },
    peers: [...peersOf(network, 'foolbox'), single('art', 512)],
    tolerance: CLOSE,
  };
}

function autoAttackCase(network: Network, eps: number, size: Size): AttackCase {
  return {
    ...on(network, 'autoattack'),
    ...size,
    norm: 'linf',
    eps,
    ours: 'autoattack',
    theirs: 'autoattack',
    settings: { steps: 100 },
    peers: [{ library: 'torchattacks', wanted: 2 }],
    tolerance: 0.003,
  };
}

const PGD_40_MNIST = pgdCase('mnist-cnn', 40, 0.1, 0.01, { n: 500 });

/** All cases, in the order in which they run. Sizes are chosen so that the whole suite takes about 25 minutes on two cores. */
export const ATTACK_CASES: readonly AttackCase[] = [
  fgsmCase('mnist-cnn', 0.1, { n: 1000, repeat: 5 }),
  pgdCase('mnist-cnn', 10, 0.1, 0.02, { n: 500 }),
  PGD_40_MNIST,
  { ...PGD_40_MNIST, name: 'command-line', peers: PGD_40_MNIST.peers.slice(0, 2), program: true },
  pgdL2Case('mnist-cnn', 1.5, 0.1, { n: 500 }),
  cwCase('mnist-cnn', 3, 0.1, { n: 200 }),
  deepFoolCase('mnist-cnn', { n: 100 }),
  squareCase('mnist-cnn', 0.1, { n: 100, warmup: 20 }),
  hopSkipJumpCase('mnist-cnn', 10, { n: 40, warmup: 4 }),
  {
    ...cwCase('mnist-cnn', 3, 0.1, { n: 40, warmup: 4, rounds: 1 }),
    name: 'cw-l2-single',
    peers: [single('art', 1)],
  },
  {
    // ART asks about 30 points an iteration: both sides ask about 2,100 times a sample, foolbox 2,250 times.
    ...on('mnist-cnn', 'boundary'),
    n: 40,
    warmup: 4,
    norm: 'l2',
    ours: 'boundary(steps=2000)',
    until: 'boundary(steps=2000, queries=BUDGET)',
    theirs: 'boundary',
    settings: { steps: 2000, iterations: 70 },
    peers: [...peersOf('mnist-cnn', 'foolbox'), single('art', 512)],
    tolerance: CLOSE,
  },
  fgsmCase('cifar10-resnet14', 8 / 255, { n: 200, repeat: 3 }),
  pgdCase('cifar10-resnet14', 10, 8 / 255, 2 / 255, { n: 100 }),
  pgdCase('cifar10-resnet14', 40, 1 / 255, 0.25 / 255, { n: 100 }),
  pgdL2Case('cifar10-resnet14', 0.15, 0.02, { n: 100 }),
  cwCase('cifar10-resnet14', 1, 0.01, { n: 32, warmup: 8 }),
  deepFoolCase('cifar10-resnet14', { n: 50, warmup: 10 }),
  squareCase('cifar10-resnet14', 8 / 255, { n: 50, warmup: 10 }),
  hopSkipJumpCase('cifar10-resnet14', 5, { n: 16, warmup: 2 }),
  autoAttackCase('cifar10-resnet14', 8 / 255, { n: 200, warmup: 10 }),
  {
    // About a third of the images stand here, which takes both sides minutes.
    ...autoAttackCase('cifar10-resnet14', 2 / 255, { n: 200, warmup: 10, rounds: 1 }),
    name: 'autoattack-small',
    extra: true,
  },
  autoAttackCase('mnist-cnn', 0.1, { n: 500, warmup: 8, rounds: 1 }),
];
