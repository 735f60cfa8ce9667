import type { HostTensor } from '../../runtime/array.ts';
import type { HeldArrays } from './constrained-attack.ts';
import type { Carried, TrainingStep } from './step.ts';

/** What a step holds before it, by name; `arrayOf` gives the array of each that is carried. */
export function heldArrays(
  { carried }: Pick<TrainingStep, 'carried'>,
  arrayOf: (each: Carried) => HostTensor,
): Required<HeldArrays> {
  const held = (roles: readonly Carried['role'][]) => (name: string) =>
    arrayOf(carried.find((each) => each.name === name && roles.includes(each.role))!);
  return { weight: held(['weight', 'statistic']), kept: held(['kept']) };
}
