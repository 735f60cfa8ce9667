import { adam, adamW } from '../optimise/adam.ts';
import type { Optimiser } from '../optimise/optimiser.ts';
import { sgd } from '../optimise/sgd.ts';
import { oneFrom } from './one-spec.ts';

const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/** Optimisers by name, with their default options. */
export const OPTIMISERS = {
  adam: { ...ADAM, weightDecay: 0 },
  adamw: { ...ADAM, weightDecay: 0.01 },
  sgd: { momentum: 0.9, nesterov: false, weightDecay: 0 },
} as const;

/** Highest learning rate of each optimiser unless another is given. */
const USUAL_RATE: Readonly<Record<string, number>> = { adam: 2e-3, adamw: 2e-3, sgd: 0.05 };

/** Reads `sgd(momentum=0.9, nesterov=true)`, and gives the learning rate that usually suits it. Errors: `option/unknown`, `option/invalid`. */
export function planOptimiser(text: string): { readonly optimiser: Optimiser; readonly usualRate: number } {
  const { name, options } = oneFrom(text, OPTIMISERS, 'optimiser');
  const make = { adam, adamw: adamW, sgd }[name as keyof typeof OPTIMISERS];
  return { optimiser: make(options as object), usualRate: USUAL_RATE[name]! };
}
