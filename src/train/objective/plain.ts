import type { Objective } from './objective.ts';

/** Learns from the samples as they are. */
export function plain(): Objective {
  return {
    name: 'plain',
    options: {},
    isAdditive: true,
    write({ b, x, targets, criterion, forward }) {
      const outputs = forward(x);
      const { losses, gradient, hits } = criterion.write(b, outputs, targets);
      return { losses, seeds: [{ value: outputs, grad: gradient }], ...(hits ? { hits } : {}) };
    },
  };
}
