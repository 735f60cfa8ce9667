import type { HostTensor } from '../runtime/array.ts';
import type { Phase } from './epoch.ts';
import { type Run, stepsPerEpoch } from './run.ts';
import type { HeldArrays } from './step/constrained-attack.ts';

/** Clean inputs of a step, and what it begins with. */
export interface BeforeAttack extends HeldArrays {
  readonly inputs: Readonly<Record<string, HostTensor>>;
  /** Numbers of the samples. */
  readonly samples: Int32Array;
  /** The step's number over all epochs. */
  readonly at: number;
}

/** The inputs of a step and its attacked samples, where the objective leaves the attack to the trainer; else as they are. */
export async function attackedInputs(
  run: Run,
  { attack, objective, step }: Phase,
  { inputs, samples, at, ...held }: BeforeAttack,
): Promise<Readonly<Record<string, HostTensor>>> {
  if (!attack || !objective.outside) return inputs;
  const { replays = 1, epochs, signal, checkpoint } = run.options;
  const attacked = await attack.attack({
    x: inputs[step.inputs.x]!,
    targets: inputs[step.inputs.targets]!,
    samples,
    at: Math.floor(at / replays),
    ...objective.outside.settings(at / (stepsPerEpoch(run) * epochs)),
    ...held,
    // With a checkpoint, one more step brings the state out.
    signal: checkpoint ? undefined : signal,
  });
  return { ...inputs, [step.inputs.attacked!]: attacked };
}
