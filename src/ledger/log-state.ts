import type { Checkpoint } from './checkpoint.ts';
import type { NoteSigner } from './note-key.ts';
import type { TreeEdge } from './tree-edge.ts';

/** Who writes a log. */
export interface LogIdentity {
  /** The log's name, e.g. `example.com/models`. */
  readonly origin: string;
  /** The log's keys; each signs every checkpoint, under the origin as its name. */
  readonly signers: readonly NoteSigner[];
  readonly now: () => Date;
}

/** What opening a log found in the journal of a writer that never closed it. */
export interface Recovered {
  /** Entries that were acknowledged and not under the checkpoint yet. */
  readonly entries: number;
  /** Bytes of an entry that was being written and that nobody was told about. */
  readonly torn: number;
}

/** A log as it was when it was opened for writing. */
export interface LogState {
  readonly edge: TreeEdge;
  readonly checkpoint: Checkpoint;
  readonly recovered?: Recovered;
}
