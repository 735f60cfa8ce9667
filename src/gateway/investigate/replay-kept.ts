import type { Replay, Replayed } from '../../incident/impact/impact.ts';
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
    async run(decisions, signal) {
      const said: Replayed[] = [];
      for (let at = 0; at < decisions.length; at += AT_ONCE) {
        const some = decisions.slice(at, at + AT_ONCE);
        const inputs = await kept.read(some);
        said.push(
          ...(await Promise.all(
            some.map(({ model, n }, i) =>
              inputs[i] === undefined ? undefined : ask({ model, n, inputs: inputs[i] }, signal),
            ),
          )),
        );
      }
      return said;
    },
    close,
  };
}
