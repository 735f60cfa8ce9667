import { GlacisError } from '../../core/error.ts';
import type { Replay, Replayed } from '../../incident/impact/impact.ts';
import type { PastDecision } from '../../incident/past.ts';
import type { LogReader } from '../../ledger/index.ts';
import { floatsOf, type Tensor } from '../../oip/index.ts';
import { openKeptPayload } from '../record/kept-payload.ts';
import { entryReader } from '../record/live/entry-reader.ts';
import { readEntry } from '../record/read-entry.ts';
import type { SubjectKey } from '../record/subject-keys.ts';
import type { ServedModel } from '../served-model.ts';
import { topClasses } from '../summary.ts';
import { inputTensors } from './input-tensors.ts';

/** Calls under way at once: the backend makes batches of them. */
const AT_ONCE = 32;
/** Milliseconds until a run must have begun. */
const PATIENCE = 60_000;

/** What replaying needs. */
export interface ReplaySetting {
  readonly reader: () => Promise<LogReader>;
  /** The folder of kept payloads. */
  readonly payloads: string;
  /** The key of a subject, by what the log calls it; undefined where it was erased. */
  readonly keyOf: (pseudonym: string, principal: string | undefined) => Promise<SubjectKey | undefined>;
  /** The good model for a decision of this model. */
  readonly find: (model: string) => ServedModel | undefined;
}

/**
 * Puts kept inputs to a good version. Payloads whose file or key is gone, and inputs that it does not take, give nothing. Inputs are opened for this alone, and nothing of them is
 * written anywhere. Errors: those of the log and of the model.
 */
export function replayServed({ reader, payloads, keyOf, find }: ReplaySetting): Replay {
  const entries = entryReader();
  const one = async (
    decision: PastDecision,
    bytes: Uint8Array | undefined,
    signal: AbortSignal,
  ): Promise<Replayed> => {
    const entry = bytes && readEntry(bytes);
    if (entry?.schema !== 'glacis.decision/1' || entry.payload === undefined) return undefined;
    const key = await keyOf(entry.subject, decision.principal);
    const good = find(decision.model);
    if (key === undefined || good?.classifier === undefined) return undefined;
    let inputs: readonly Tensor[] | undefined;
    try {
      const kept = await openKeptPayload(entry, key, payloads);
      inputs = kept && inputTensors(kept.input, good.metadata, decision.n);
    } catch (thrown) {
      // Its time had come, its key is another, or this version takes other inputs.
      if (
        thrown instanceof GlacisError &&
        ['vault/unreadable', 'request/invalid', 'data/mismatch'].includes(thrown.code)
      )
        return undefined;
      throw thrown;
    }
    if (inputs === undefined) return undefined;
    const deadline = performance.now() + PATIENCE;
    const { outputs } = await good.run(inputs, { n: decision.n, signal, deadline, features: false });
    const output = outputs.find(({ name }) => name === good.classifier!.output);
    return output && topClasses(floatsOf(output), decision.n, good.classifier!.gives);
  };
  return {
    async run(decisions, signal) {
      const bytes = await entries.read(
        await reader(),
        decisions.map(({ entry }) => entry),
      );
      const said: Replayed[] = [];
      for (let at = 0; at < decisions.length; at += AT_ONCE)
        said.push(
          ...(await Promise.all(
            decisions.slice(at, at + AT_ONCE).map((each, i) => one(each, bytes[at + i], signal)),
          )),
        );
      return said;
    },
    close: async () => {},
  };
}
