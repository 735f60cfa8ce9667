import type { Replay } from '../../incident/impact/impact.ts';
import type { PastDecision } from '../../incident/past.ts';
import type { AskGood } from './ask-served.ts';
import type { KeptInputs } from './kept-inputs.ts';

/** Calls under way at once: the backend makes batches of them. */
const AT_ONCE = 32;

/** Puts kept inputs of past decisions to a good version. Errors: those of the log and of the model. */
export function replayKept(
  kept: KeptInputs,
  ask: AskGood,
  close: () => Promise<void> = async () => {},
): Replay {
  return {
    run: (decisions, signal) =>
      overKept(kept, decisions, ({ model, n }, inputs) => ask({ model, n, inputs }, signal)),
    close,
  };
}

/** Asks about each decision whose inputs were kept, in their order; undefined for the others. Errors: those of the log and of `ask`. */
export async function overKept<Said>(
  kept: KeptInputs,
  decisions: readonly PastDecision[],
  ask: (decision: PastDecision, inputs: readonly Uint8Array[]) => Promise<Said | undefined>,
): Promise<readonly (Said | undefined)[]> {
  const said: (Said | undefined)[] = [];
  for (let at = 0; at < decisions.length; at += AT_ONCE) {
    const some = decisions.slice(at, at + AT_ONCE);
    const inputs = await kept.read(some);
    const asked = some.map((each, i) => (inputs[i] === undefined ? undefined : ask(each, inputs[i])));
    said.push(...(await Promise.all(asked)));
  }
  return said;
}
