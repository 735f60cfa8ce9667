import type { Checkpoint } from '../ledger/checkpoint.ts';
import type { LogSource } from '../ledger/log-source.ts';
import { folderStore } from '../ledger/log-store.ts';
import { createLog, openWriter } from '../ledger/log-writer.ts';
import type { NoteSigner } from '../ledger/note-key.ts';

/** Who signs the log's checkpoints. */
export interface LogKeeper {
  readonly origin: string;
  readonly signers: readonly NoteSigner[];
  readonly now: () => Date;
}

/** The log that a registry's events are in, wherever it lies. */
export interface EventLog {
  readonly source: LogSource;
  /** Starts the log with its first entry. Errors: `ledger/exists`. */
  create(entry: Uint8Array, keeper: LogKeeper, signal?: AbortSignal): Promise<Checkpoint>;
  /** Adds an entry if the log still has exactly `size`; `undefined` when somebody else was first. */
  tryAppend(
    size: number,
    entry: Uint8Array,
    keeper: LogKeeper,
    signal?: AbortSignal,
  ): Promise<Checkpoint | undefined>;
  /** Signs the newest state again with the present time. */
  refresh(keeper: LogKeeper, signal?: AbortSignal): Promise<Checkpoint>;
}

/** A log in a folder. Two processes take turns with its lock. */
export function folderEventLog(folder: string): EventLog {
  const store = folderStore(folder);
  return {
    source: store,
    async create(entry, keeper, signal) {
      await using writer = await createLog(store, keeper, { signal });
      await writer.append(entry);
      return writer.checkpoint;
    },
    async tryAppend(size, entry, keeper, signal) {
      await using writer = await openWriter(store, keeper, { signal });
      if (writer.checkpoint.size !== size) return undefined;
      await writer.append(entry);
      return writer.checkpoint;
    },
    async refresh(keeper, signal) {
      await using writer = await openWriter(store, keeper, { signal });
      return writer.refresh();
    },
  };
}
