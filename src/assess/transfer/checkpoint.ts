import { flat, type RunIdentity, runStoreIn, type StoredArrays } from '../run-store.ts';
import type { TransferRecord } from './run.ts';

/** The checkpoint of one output folder. */
export interface TransferCheckpoint {
  /** Fills an empty `record` from the folder; `false` where there is nothing. Errors: `option/invalid`, `result/invalid`. */
  restore(record: TransferRecord): Promise<boolean>;
  /** Replaces what is in the folder, as a whole or not at all. Errors: `output/unwritable`. */
  save(record: TransferRecord): Promise<void>;
  clear(): Promise<void>;
}

const STORE = { name: 'transfer-checkpoint', schema: 'glacis.transfer-checkpoint/1' } as const;
/** What is kept of a row beside its arrays. */
const COUNTS = ['done', 'queries', 'gradientQueries', 'seconds', 'refused', 'impossible'] as const;

interface Stored {
  readonly cleanDone: number;
  readonly rows: readonly Partial<Record<(typeof COUNTS)[number], number | string>>[];
}

/** A checkpoint in `folder`. Random draws belong to samples, so a run that goes on from it ends as one that was never stopped. */
export function transferCheckpointIn(folder: string, identity: RunIdentity): TransferCheckpoint {
  const store = runStoreIn<Stored>(folder, STORE, identity);
  return {
    restore: (record) => store.restore((stored, arrays) => fill(record, stored, arrays)),
    save: (record) =>
      store.save(
        {
          cleanDone: record.cleanDone,
          rows: record.rows.map((row) => Object.fromEntries(COUNTS.map((key) => [key, row[key]]))),
        },
        Object.fromEntries([...arraysOf(record)].map(([key, flags]) => [key, flat(flags)])),
      ),
    clear: () => store.clear(),
  };
}

async function fill(record: TransferRecord, stored: Stored, { read, damaged }: StoredArrays): Promise<void> {
  if (stored.rows.length !== record.rows.length) throw damaged();
  for (const [key, flags] of arraysOf(record)) flags.set((await read(key, flags.length)) as Uint8Array);
  record.cleanDone = stored.cleanDone;
  for (const [i, row] of record.rows.entries()) Object.assign(row, stored.rows[i]);
}

/** All flags of a record by name. */
function arraysOf({ right, noise = [], rows }: TransferRecord): ReadonlyMap<string, Uint8Array> {
  const named = (name: string, arrays: readonly Uint8Array[]) =>
    arrays.map((flags, model): [string, Uint8Array] => [`${name}_model${model}`, flags]);
  return new Map([
    ...named('right', right),
    ...named('noise', noise),
    ...rows.flatMap(({ fooled }, i) => named(`row${i}`, fooled)),
  ]);
}
