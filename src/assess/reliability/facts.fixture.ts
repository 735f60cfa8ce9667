import type { ReliabilityFacts } from './facts.ts';
import type { GradientPath } from './gradient-path.ts';
import type { LocalView } from './local-probe.ts';

/** What a well-behaved sample looks like: the gradient is right, and says that the margin is gone at a radius of 0.2. */
export const view = (change: Partial<LocalView> = {}): LocalView => ({
  zeroLoss: false,
  zeroMargin: false,
  notFinite: false,
  margin: 5,
  top: 8,
  slope: 25,
  agreement: 0.99,
  gap: 0,
  ...change,
});

/** An ascent that rises at once, settles, and succeeds in the first larger ball. */
export const path = (change: Partial<GradientPath> = {}): GradientPath => ({
  losses: Array.from({ length: 40 }, (_, i) => 1 - 2 ** -i),
  blind: 0,
  steps: undefined,
  fellAt: 0.2,
  gain: 0,
  ...change,
});

/** As many as were looked at. */
export const LOOKED = 20;

export const times = <T>(count: number, value: T): readonly T[] => Array.from({ length: count }, () => value);

/** The first `count` of {@link LOOKED} are `odd`, the others `usual`. */
export const some = <T>(count: number, odd: T, usual: T): readonly T[] => [
  ...times(count, odd),
  ...times(LOOKED - count, usual),
];

/** As networks answer: no two largest outputs alike. */
export const spread = (views: readonly LocalView[]): readonly LocalView[] =>
  views.map((each, i) => ({ ...each, top: each.top * 0.9 ** i }));

/** Facts of a model that hides nothing, attacked well. */
export function honestFacts(change: Partial<ReliabilityFacts> = {}): ReliabilityFacts {
  return {
    task: 'classification',
    ball: { norm: 'linf', eps: 0.1, bounds: [0, 1] },
    attacks: {
      right: 100,
      gradient: 60,
      withoutGradients: 40,
      missed: 0,
      transfer: { tried: 40, missed: 0 },
      oneStep: { fell: 30, missed: 0 },
      straightThrough: false,
      averaged: false,
    },
    obstacles: { stepped: [], cut: [], random: [], saturating: [] },
    views: spread(times(LOOKED, view())),
    paths: times(LOOKED, path()),
    eased: undefined,
    gentle: undefined,
    fallen: times(LOOKED, false),
    noise: { tried: 40, fell: 0, afterGradients: true },
    randomised: false,
    ...change,
  };
}
