import { GlacisError } from '../../../core/error.ts';
import type { LogReader } from '../../../ledger/index.ts';

const BUNDLE = 256;
/** Full bundles in memory. */
const MOST_BUNDLES = 64;

/** Reads entries of a log that grows, each verified against the newest signed state. */
export interface EntryReader {
  /** The bytes of these entries, in their order; undefined for those that are archived by now. Errors: `ledger/untrusted`. */
  read(log: LogReader, indices: readonly number[]): Promise<readonly (Uint8Array | undefined)[]>;
}

/** A bundle is verified once for all of its entries that are asked for; full ones are remembered, because they never change. */
export function entryReader(): EntryReader {
  const kept = new Map<number, readonly Uint8Array[]>();
  /** The last bundle, which grows. */
  let partial:
    | { readonly bundle: number; readonly size: number; readonly entries: readonly Uint8Array[] }
    | undefined;
  const bundleOf = async (log: LogReader, bundle: number): Promise<readonly Uint8Array[]> => {
    const found = kept.get(bundle);
    if (found !== undefined) {
      kept.delete(bundle);
      kept.set(bundle, found);
      return found;
    }
    const { size } = log.checkpoint;
    if (partial?.bundle === bundle && partial.size === size) return partial.entries;
    const entries: Uint8Array[] = [];
    for await (const entry of log.entries(bundle * BUNDLE)) {
      entries.push(entry);
      if (entries.length === BUNDLE) break;
    }
    if (entries.length === BUNDLE) {
      kept.set(bundle, entries);
      for (const oldest of kept.keys()) {
        if (kept.size <= MOST_BUNDLES) break;
        kept.delete(oldest);
      }
    } else partial = { bundle, size, entries };
    return entries;
  };
  return {
    async read(log, indices) {
      const bytes: (Uint8Array | undefined)[] = [];
      for (const index of indices) {
        if (index >= log.checkpoint.size) {
          bytes.push(undefined);
          continue;
        }
        try {
          bytes.push((await bundleOf(log, Math.floor(index / BUNDLE)))[index % BUNDLE]);
        } catch (thrown) {
          if (!(thrown instanceof GlacisError && thrown.code === 'ledger/unreadable')) throw thrown;
          bytes.push(undefined);
        }
      }
      return bytes;
    },
  };
}
