import type { Replayed } from '../../incident/impact/impact.ts';
import { floatsOf } from '../../oip/index.ts';
import type { ServedModel } from '../served-model.ts';
import { topClasses } from '../summary.ts';
import { inputTensors, takenBy } from './input-tensors.ts';

/** Milliseconds until a run must have begun. */
const PATIENCE = 60_000;

/** Kept inputs of one call, and the model that they were sent to. */
export interface PastInput {
  readonly model: string;
  readonly n: number;
  readonly inputs: readonly Uint8Array[];
}

/** Puts kept inputs to a good version. */
export type AskGood = (input: PastInput, signal: AbortSignal) => Promise<Replayed>;

/** Asks the good version of each model; inputs that it does not take give nothing. Errors: those of the model. */
export function askServed(find: (model: string) => ServedModel | undefined): AskGood {
  return async ({ model, n, inputs }, signal) => {
    const good = find(model);
    if (good?.classifier === undefined) return undefined;
    const { classifier, metadata } = good;
    const tensors = takenBy(() => inputTensors(inputs, metadata, n));
    if (tensors === undefined) return undefined;
    const deadline = performance.now() + PATIENCE;
    const { outputs } = await good.run(tensors, { n, signal, deadline, features: false });
    const output = outputs.find(({ name }) => name === classifier.output);
    return output && topClasses(floatsOf(output), n, classifier.gives);
  };
}
