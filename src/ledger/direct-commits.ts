import type { GlacisError } from '../core/error.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import { formatCheckpoint } from './checkpoint-body.ts';
import { CHECKPOINT_PATH } from './log-reader.ts';
import type { LogIdentity, LogState } from './log-state.ts';
import type { LogStore } from './log-store.ts';
import { signNote } from './note.ts';
import { partialFolder } from './tile.ts';
import { growFramed, rootOfEdge, type TreeEdge } from './tree-edge.ts';

/** How batches get onto the disk. One call at a time, but for `refresh` where there is a journal. */
export interface Commits {
  /** The newest checkpoint on the disk. */
  readonly checkpoint: Checkpoint;
  /** Why nothing can be committed any more, where that came up outside of a call. */
  readonly broken: GlacisError | undefined;
  /** Gives the index of the first entry when all of them, each with its length in front, are on the disk. Errors: `output/unwritable`. */
  commit(frames: readonly Uint8Array[]): Promise<number>;
  /** Signs everything that is committed, with the present time. */
  refresh(): Promise<Checkpoint>;
  /** Ends it; `whole` when nothing failed. */
  close(whole: boolean): Promise<void>;
}

/** Without a journal: tiles, then the checkpoint, and then a batch is committed. */
export function directCommits(store: LogStore, identity: LogIdentity, state: LogState): Commits {
  let { edge, checkpoint } = state;
  return {
    get checkpoint() {
      return checkpoint;
    },
    broken: undefined,
    async commit(frames) {
      const grown = growFramed(edge, frames);
      // Tiles before the checkpoint: whoever reads a checkpoint must find what it speaks of.
      await store.write(grown.files);
      checkpoint = await publish(store, identity, grown.edge);
      const start = edge.size;
      edge = grown.edge;
      for (const name of grown.full) await store.remove(partialFolder(name));
      return start;
    },
    async refresh() {
      checkpoint = await publish(store, identity, edge);
      return checkpoint;
    },
    close: async () => {},
  };
}

/** Signs the state with this edge and writes it as the newest. */
export async function publish(store: LogStore, identity: LogIdentity, edge: TreeEdge): Promise<Checkpoint> {
  const { origin, signers, now } = identity;
  const body = { origin, size: edge.size, root: await rootOfEdge(edge) };
  const note = signNote(formatCheckpoint(body), signers, Math.floor(now().getTime() / 1000));
  // Read back with the verifier's eyes: what could not be verified must not become the log's state.
  const checkpoint = openCheckpoint(note, { origin, keys: signers });
  await store.write([{ path: CHECKPOINT_PATH, bytes: note }]);
  return checkpoint;
}
