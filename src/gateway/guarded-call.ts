import { floatsOf, type Parameters, type Tensor } from '../oip/index.ts';
import type { GuardRecord } from './decision.ts';
import type { Action, GuardedAnswer, GuardedInput, InputGuard } from './guard.ts';
import { ACTIONS } from './guard.ts';
import type { Principal } from './principal.ts';
import { Refused } from './refusal.ts';
import type { ModelAnswer, ServedModel } from './served-model.ts';

/** What guards see of a call; the float view is made once, when somebody first asks for it. */
export function guardedInput(call: {
  readonly model: ServedModel;
  readonly principal: Principal;
  readonly n: number;
  readonly inputs: readonly Tensor[];
  readonly parameters: Parameters | undefined;
  readonly now: number;
}): GuardedInput {
  const { model, principal, n, inputs, now } = call;
  const { classifier } = model;
  return {
    model,
    classifier,
    principal,
    n,
    inputs,
    parameters: call.parameters ?? {},
    now,
    floats: once(() => floatsNamed(inputs, classifier?.input)),
  };
}

/** The same with what the model said. */
export function guardedAnswer(call: GuardedInput, { outputs, features }: ModelAnswer): GuardedAnswer {
  return { ...call, features, scores: once(() => floatsNamed(outputs, call.classifier?.output)) };
}

/**
 * Lets guards judge, in order; the first refusal ends the call. Their words are added to `records`, those that pass as well, because their scores tell calm
 * from strange later. A guard that fails refuses: nothing fails open. Gives the gravest action.
 */
export async function judge(
  guards: readonly InputGuard[],
  call: GuardedInput & Partial<GuardedAnswer>,
  records: GuardRecord[],
  failed: (where: string, thrown: unknown) => void,
): Promise<Action> {
  let worst: Action = 'pass';
  for (const guard of guards) {
    let verdict: Awaited<ReturnType<InputGuard['judge']>>;
    try {
      const given = guard.judge(call);
      verdict = given instanceof Promise ? await given : given;
    } catch (thrown) {
      if (thrown instanceof Refused) throw thrown;
      failed(`guard ${guard.name}`, thrown);
      throw new Refused('failed', `guard ${guard.name} failed`, { cause: thrown });
    }
    records.push({ guard: guard.name, ...verdict });
    if (verdict.action === 'refuse')
      throw new Refused(
        'unacceptable',
        `guard ${guard.name}${verdict.because === undefined ? '' : `: ${verdict.because}`}`,
      );
    if (ACTIONS.indexOf(verdict.action) > ACTIONS.indexOf(worst)) worst = verdict.action;
  }
  return worst;
}

function floatsNamed(tensors: readonly Tensor[], name: string | undefined): Float32Array | undefined {
  const tensor = name === undefined ? undefined : tensors.find((each) => each.name === name);
  return tensor === undefined || tensor.datatype === 'BYTES' ? undefined : floatsOf(tensor);
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
