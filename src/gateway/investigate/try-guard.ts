import { GlacisError } from '../../core/error.ts';
import type { SecondLook } from '../../incident/what-if/look-again.ts';
import type { InputGuard } from '../guard.ts';
import { guardedAnswer, guardedInput } from '../guarded-call.ts';
import type { ServedModel } from '../served-model.ts';
import type { PastInput } from './ask-served.ts';
import { inputTensors, takenBy } from './input-tensors.ts';

/** Kept inputs of one call, and who sent them when. */
export interface PastCall extends PastInput {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly principal: string | undefined;
  readonly tenant: string | undefined;
  readonly address: string | undefined;
}

/** A guard that is shown past calls. */
export interface GuardTrial {
  /** What it says of a call; calls are judged in the order in which this is called, whenever the model has answered. Undefined where the model takes other inputs. Errors: those of the model. */
  look(call: PastCall, signal: AbortSignal): Promise<SecondLook | undefined>;
  close(): Promise<void>;
}

/** Milliseconds until a run must have begun. */
const PATIENCE = 60_000;

/**
 * Opens a trial: a guard of its own for each model, as the configuration has it, that remembers nothing of what happens now. `make` errors with `option/invalid` where a model cannot have this guard.
 * What callers say beside their inputs (parameters) is not kept, so that a guard that rests on it says nothing.
 */
export function openGuardTrial({
  find,
  make,
}: {
  readonly find: (model: string) => ServedModel | undefined;
  readonly make: (model: ServedModel) => InputGuard;
}): GuardTrial {
  const made = new Map<string, { readonly model: ServedModel; readonly guard: InputGuard } | string>();
  const trialOf = (name: string) => {
    const before = made.get(name);
    if (before !== undefined) return before;
    const model = find(name);
    const fresh = model === undefined ? `no version of ${name} is in service` : triedOn(model, make);
    made.set(name, fresh);
    return fresh;
  };
  let turn: Promise<unknown> = Promise.resolve();
  return {
    look({ model: name, n, inputs, at, principal = '', tenant = '', address = '' }, signal) {
      const trial = trialOf(name);
      if (typeof trial === 'string') return Promise.resolve({ cannot: trial });
      const { model, guard } = trial;
      const tensors = takenBy(() => inputTensors(inputs, model.metadata, n));
      if (tensors === undefined) return Promise.resolve(undefined);
      const who = { id: principal, tenant, credential: '', kind: 'key', roles: [] } as const;
      const call = guardedInput({
        ...{ model, n, inputs: tensors, now: at, principal: who, address },
        parameters: undefined,
      });
      const answer =
        guard.phase === 'before'
          ? undefined
          : model.run(tensors, {
              ...{ n, signal, deadline: performance.now() + PATIENCE },
              features: guard.features ?? false,
            });
      // Its turn comes when those before it were judged; a run that fails meanwhile is heard of then.
      answer?.catch(() => {});
      const said = turn.then(async (): Promise<SecondLook> => {
        const { score } = await guard.judge(answer ? guardedAnswer(call, await answer) : call);
        return { score: Number.isFinite(score) ? score : null };
      });
      turn = said.catch(() => {});
      return said;
    },
    async close() {
      await turn;
      for (const trial of made.values()) if (typeof trial !== 'string') await trial.guard.close?.();
    },
  };
}

/** The guard of a model, or why it can have none. */
function triedOn(model: ServedModel, make: (model: ServedModel) => InputGuard) {
  try {
    return { model, guard: make(model) };
  } catch (thrown) {
    if (thrown instanceof GlacisError) return thrown.message;
    throw thrown;
  }
}
