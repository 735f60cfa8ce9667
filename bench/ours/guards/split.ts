import { createHash } from 'node:crypto';
import { GlacisError } from '../../../src/core/error.ts';
import { randomFrom } from '../../../src/core/random.ts';

/** Networks that guards are measured on. */
export const GUARD_NETWORKS = ['mnist-cnn', 'mnist-cnn-adv', 'cifar10-resnet14'] as const;

/** One of {@link GUARD_NETWORKS}. */
export type GuardNetwork = (typeof GUARD_NETWORKS)[number];

/** The parts of a network's test samples: guards are tuned on `development` alone, and figures are those of `final`. */
export interface Parts {
  readonly development: Int32Array;
  /** What thresholds are set on. */
  readonly threshold: Int32Array;
  readonly final: Int32Array;
}

/** Test samples, and how many of them are for development and thresholds. */
const SIZES = { mnist: [10_000, 2500, 2500], cifar10: [2000, 400, 1000] } as const;

/**
 * The split's seed, and SHA-256 over the order of the test samples that it gives: written down on 2026-11-21, before any guard was run on
 * any of them.
 */
const SEED = 20_261_121;
const DIGESTS = {
  mnist: '6c6350465d836fb56d249623163adda0b1a2005325ccef98b2b318d8d1f4075b',
  cifar10: 'cf681635e1f654054e9c35fa6a2a6cb8db925d24df09d6fe1cf1288dce5a3c87',
} as const;

/** The frozen split of a network's test samples. Errors: `run/failed` where it is no longer the one that was frozen. */
export function frozenSplit(network: GuardNetwork): Parts {
  const data = network.startsWith('cifar10') ? 'cifar10' : 'mnist';
  const [n, development, threshold] = SIZES[data];
  const order = Int32Array.from({ length: n }, (_, i) => i);
  const rng = randomFrom(SEED, 'guards', data);
  for (let i = n - 1; i > 0; i--) {
    const j = rng.integer(i + 1);
    const other = order[j]!;
    order[j] = order[i]!;
    order[i] = other;
  }
  const digest = createHash('sha256').update(new Uint8Array(order.buffer)).digest('hex');
  if (digest !== DIGESTS[data])
    throw new GlacisError('run/failed', `split of ${data}: expected ${DIGESTS[data]}, got ${digest}`);
  return {
    development: order.slice(0, development),
    threshold: order.slice(development, development + threshold),
    final: order.slice(development + threshold),
  };
}
