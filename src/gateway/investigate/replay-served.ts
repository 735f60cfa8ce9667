import { GlacisError } from '../../core/error.ts';
import type { Replay, Replayed } from '../../incident/impact/impact.ts';
import type { PastDecision } from '../../incident/past.ts';
import type { LogReader } from '../../ledger/index.ts';
import { dataFromBytes } from '../../oip/binary-data.ts';
import { floatsOf, isDatatype, type ModelMetadata, type Tensor } from '../../oip/index.ts';
import { readPayloadBytes } from '../record/entry-text.ts';
import { entryReader } from '../record/live/entry-reader.ts';
import { readPayload } from '../record/payload-store.ts';
import { readEntry } from '../record/read-entry.ts';
import { openBytes } from '../record/sealed-bytes.ts';
import type { SubjectKey } from '../record/subject-keys.ts';
import type { ServedModel } from '../served-model.ts';
import { topClasses } from '../summary.ts';

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
      const sealed = await readPayload(payloads, entry.payload);
      const plain = openBytes(key.payloads, Buffer.from(decision.id, 'hex'), 'payload', sealed);
      inputs = tensorsOf(readPayloadBytes(plain).input, good.metadata, decision.n);
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

/** Tensors from the bytes of inputs in the order of the metadata; undefined where they are others. Errors: `data/mismatch`. */
function tensorsOf(
  parts: readonly Uint8Array[],
  { inputs }: ModelMetadata,
  n: number,
): readonly Tensor[] | undefined {
  if (parts.length !== inputs.length) return undefined;
  return inputs.map(({ name, datatype, shape }, i) => {
    if (!isDatatype(datatype)) throw new GlacisError('data/mismatch', `input ${name}: expected a known type`);
    const size = shape.map((d, axis) => (axis === 0 && d < 0 ? n : d));
    const source = { where: `input ${name}`, code: 'request/invalid' } as const;
    return {
      name,
      datatype,
      shape: size,
      data: dataFromBytes(datatype, size, parts[i]!, source, ''),
    } as Tensor;
  });
}
