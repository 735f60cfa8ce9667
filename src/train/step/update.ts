import type { Value } from '../../onnx/graph-builder.ts';
import type { Ops } from '../../transform/ops.ts';
import { clipByGlobalNorm } from '../optimise/clip.ts';
import type { Optimiser } from '../optimise/optimiser.ts';

/** How weights move by their gradients. */
export interface UpdateRule {
  readonly optimiser: Optimiser;
  /** Most that the joint L2 norm of the gradients may be; not limited unless given. */
  readonly clip?: number;
}

/** A weight with what the optimiser keeps for it, before and after a step. */
export interface Moved {
  readonly name: string;
  readonly weight: { readonly before: Value; readonly after: Value };
  /** In the order of the optimiser's slots. */
  readonly slots: readonly { readonly name: string; readonly before: Value; readonly after: Value }[];
}

/** Inputs of a step beside weights and samples. */
export interface StepClock {
  /** Number of the step, int64, from 1. */
  readonly step: Value;
  readonly rate: Value;
}

/** Declares the inputs of {@link StepClock}. */
export function clockInputs(b: Ops): StepClock {
  return { step: b.builder.input('step', 'int64', []), rate: b.builder.input('rate', 'float32', []) };
}

/** Writes the update of all weights; declares an input for each of the optimiser's arrays. Weight decay leaves vectors alone (biases, scales). */
export function writeUpdate(
  b: Ops,
  weights: readonly { readonly name: string; readonly value: Value }[],
  gradients: readonly Value[],
  { optimiser, clip }: UpdateRule,
  clock: StepClock,
): readonly Moved[] {
  const clipped = clip === undefined ? gradients : clipByGlobalNorm(b, gradients, clip).gradients;
  return weights.map(({ name, value }, i): Moved => {
    const slots = optimiser.slots.map((slot) =>
      b.builder.input(`${name}/${slot.name}`, 'float32', value.dims),
    );
    const next = optimiser.update(b, { weight: value, slots }, clipped[i]!, clock, value.dims.length > 1);
    return {
      name,
      weight: { before: value, after: next.weight },
      slots: optimiser.slots.map((slot, k) => ({
        name: slot.name,
        before: slots[k]!,
        after: next.slots[k]!,
      })),
    };
  });
}
