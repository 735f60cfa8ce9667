import { GlacisError } from '../../core/error.ts';
import type { PastDecision } from '../../incident/past.ts';
import type { LogReader } from '../../ledger/index.ts';
import { openKeptPayload } from '../record/kept-payload.ts';
import { entryReader } from '../record/live/entry-reader.ts';
import type { SubjectNames } from '../record/live/subject-names.ts';
import { readEntry } from '../record/read-entry.ts';

/** Inputs of past decisions, as bytes in the order of the model's metadata; undefined where there is nothing left of them. */
export interface KeptInputs {
  read(decisions: readonly PastDecision[]): Promise<readonly (readonly Uint8Array[] | undefined)[]>;
}

/**
 * Opens what was kept of decisions. Payloads whose file or key is gone give nothing. They are opened for this alone, and nothing of them is written anywhere. `payloads` is their folder. Errors: those of the log.
 */
export function keptInputs({
  reader,
  payloads,
  names,
}: {
  readonly reader: () => Promise<LogReader>;
  readonly payloads: string;
  readonly names: Pick<SubjectNames, 'keyOf'>;
}): KeptInputs {
  const entries = entryReader();
  const one = async (bytes: Uint8Array | undefined) => {
    const entry = bytes && readEntry(bytes);
    if (entry?.schema !== 'glacis.decision/1' || entry.payload === undefined) return undefined;
    const key = await names.keyOf(entry);
    if (key === undefined) return undefined;
    try {
      return (await openKeptPayload(entry, key, payloads))?.input;
    } catch (thrown) {
      // Its time had come, or it was changed.
      if (thrown instanceof GlacisError && thrown.code === 'vault/unreadable') return undefined;
      throw thrown;
    }
  };
  return {
    async read(decisions) {
      const bytes = await entries.read(
        await reader(),
        decisions.map(({ entry }) => entry),
      );
      return Promise.all(bytes.map(one));
    },
  };
}
