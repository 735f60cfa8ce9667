import { floatsOf, type Parameters, type Tensor } from '../oip/index.ts';
import type { GuardRecord } from './decision.ts';
import {
  ACTIONS,
  type Action,
  type GuardedAnswer,
  type GuardedInput,
  type GuardVerdict,
  type InputGuard,
} from './guard.ts';
import type { Principal } from './principal.ts';
import { Refused } from './refusal.ts';
import type { ModelAnswer, ServedModel } from './served-model.ts';

/** What guards see of a call; the float view is made once, when somebody first asks for it. */
export function guardedInput(call: {
  readonly model: ServedModel;
  readonly principal: Principal;
  readonly address: string;
  readonly n: number;
  readonly inputs: readonly Tensor[];
  readonly parameters: Parameters | undefined;
  readonly now: number;
}): GuardedInput {
  const { model, principal, address, n, inputs, now } = call;
  const { classifier } = model;
  return {
    model,
    classifier,
    principal,
    address,
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
export function judge(
  guards: readonly InputGuard[],
  call: GuardedInput & Partial<GuardedAnswer>,
  records: GuardRecord[],
  failed: (where: string, thrown: unknown) => void,
): Promise<Action> | Action {
  return judgeFrom(0, 'pass', { guards, call, records, failed });
}

interface Judging {
  readonly guards: readonly InputGuard[];
  readonly call: GuardedInput & Partial<GuardedAnswer>;
  readonly records: GuardRecord[];
  readonly failed: (where: string, thrown: unknown) => void;
}

/** From guard `first` on; what needs no waiting is not waited for. */
function judgeFrom(first: number, before: Action, judging: Judging): Promise<Action> | Action {
  let worst = before;
  for (let i = first; i < judging.guards.length; i++) {
    const guard = judging.guards[i]!;
    let given: ReturnType<InputGuard['judge']>;
    try {
      given = guard.judge(judging.call);
    } catch (thrown) {
      throw failure(guard, thrown, judging);
    }
    if (given instanceof Promise) {
      const sofar = worst;
      return given.then(
        (verdict) => judgeFrom(i + 1, heard(guard, verdict, sofar, judging), judging),
        (thrown) => {
          throw failure(guard, thrown, judging);
        },
      );
    }
    worst = heard(guard, given, worst, judging);
  }
  return worst;
}

/** Writes a verdict down; gives the graver of it and what was said before. Errors: `Refused` `unacceptable`. */
function heard({ name }: InputGuard, verdict: GuardVerdict, before: Action, { records }: Judging): Action {
  const { action, score, because } = verdict;
  records.push({ guard: name, action, score, because });
  if (action === 'refuse')
    throw new Refused('unacceptable', `guard ${name}${because === undefined ? '' : `: ${because}`}`);
  return ACTIONS.indexOf(action) > ACTIONS.indexOf(before) ? action : before;
}

function failure({ name }: InputGuard, thrown: unknown, { failed }: Judging): Refused {
  if (thrown instanceof Refused) return thrown;
  failed(`guard ${name}`, thrown);
  return new Refused('failed', `guard ${name} failed`, { cause: thrown });
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
