import type { GuardNetwork } from '../ours/guards/split.ts';

/** An attack on the first `n` samples that a network gets right; `adaptive` is the attacker who knows the guard. */
export interface GuardCase {
  readonly attack: string;
  readonly norm: 'linf' | 'l2';
  /** A radius so large that it does not matter: the attack seeks the nearest example. */
  readonly eps: number;
  readonly n: number;
  readonly steps?: number;
  readonly restarts?: number;
}

/** A peer's attack; the name says what is shown. */
export interface PeerGuardCase {
  readonly name: string;
  readonly attack: string;
  readonly options: Readonly<Record<string, unknown>>;
}

const NEAREST = 100;

/** What each network's guards are to find: ours, and torchattacks' on the same samples. */
export const GUARD_CASES: Readonly<
  Record<
    GuardNetwork,
    { readonly ours: readonly GuardCase[]; readonly peers: readonly PeerGuardCase[]; readonly peersN: number }
  >
> = {
  'mnist-cnn': {
    ours: [
      { attack: 'pgd(steps=40)', norm: 'linf', eps: 0.2, n: 200 },
      { attack: 'cw-l2(steps=200, searchSteps=5)', norm: 'l2', eps: NEAREST, n: 100 },
      { attack: 'square(queries=2000)', norm: 'linf', eps: 0.25, n: 200 },
      { attack: 'hop-skip-jump(queries=2000)', norm: 'l2', eps: NEAREST, n: 50 },
      { attack: 'adaptive', norm: 'linf', eps: 0.2, n: 200 },
    ],
    peers: peersAt(0.2),
    peersN: 200,
  },
  'mnist-cnn-adv': {
    ours: [
      { attack: 'pgd(steps=40)', norm: 'linf', eps: 0.35, n: 200 },
      { attack: 'cw-l2(steps=200, searchSteps=5)', norm: 'l2', eps: NEAREST, n: 100 },
      { attack: 'square(queries=2000)', norm: 'linf', eps: 0.35, n: 100 },
      { attack: 'hop-skip-jump(queries=2000)', norm: 'l2', eps: NEAREST, n: 50 },
      { attack: 'adaptive', norm: 'linf', eps: 0.35, n: 200 },
    ],
    peers: peersAt(0.35),
    peersN: 200,
  },
  'cifar10-resnet14': {
    ours: [
      { attack: 'pgd(steps=20)', norm: 'linf', eps: 8 / 255, n: 100 },
      { attack: 'cw-l2(steps=60, searchSteps=3)', norm: 'l2', eps: NEAREST, n: 40 },
      { attack: 'square(queries=500)', norm: 'linf', eps: 8 / 255, n: 60 },
      { attack: 'adaptive', norm: 'linf', eps: 8 / 255, n: 50, steps: 30, restarts: 1 },
    ],
    peers: peersAt(8 / 255),
    peersN: 60,
  },
};

/** Attacks of torchattacks: PGD goes on until it is sure, CW stops at the nearest example. */
function peersAt(eps: number): readonly PeerGuardCase[] {
  return [
    {
      name: 'torchattacks PGD',
      attack: 'PGD',
      options: { eps, alpha: eps / 10, steps: 40, random_start: true },
    },
    { name: 'torchattacks CW', attack: 'CW', options: { c: 10, steps: 200, lr: 0.01 } },
    { name: 'torchattacks MIFGSM', attack: 'MIFGSM', options: { eps, alpha: eps / 10, steps: 20 } },
  ];
}
