/** Networks that strength is compared on. */
export const STRENGTH_NETWORKS = ['mnist-cnn', 'mnist-cnn-adv', 'cifar10-resnet14'] as const;

/** One of {@link STRENGTH_NETWORKS}. */
export type Network = (typeof STRENGTH_NETWORKS)[number];

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
export interface Scale {
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
}

/** The networks' scales. */
export const SCALES: readonly Scale[] = [
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
  },
];

/** A radius that every example lies in: whether there is one is what counts. */
export const ANY = 1000;

/** A peer's attack. */
export type Peer = Pick<StrengthCase, 'library' | 'theirs'> & { readonly options?: StrengthCase['options'] };
type Rest = Partial<Pick<StrengthCase, 'eps' | 'seeds' | 'startable' | 'note'>>;

const of =
  (library: StrengthCase['library']) =>
  (theirs: string, options: StrengthCase['options'] = {}): Peer => ({ library, theirs, options });
export const torchattacks = of('torchattacks');
export const foolbox = of('foolbox');
export const art = of('art');

/** `name(options)` against each of `peers`. */
export function against(
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
