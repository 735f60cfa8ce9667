import { asGlacisError, type GlacisError } from '../core/error.ts';
import type { Checkpoint } from './checkpoint.ts';
import { type Commits, publish } from './direct-commits.ts';
import { formatEdge } from './journal-edge.ts';
import type { JournalFile } from './journal-file.ts';
import { formatRecord, journalKey, NO_RECORD } from './journal-record.ts';
import { JOURNAL_PATHS, type JournalStore } from './journal-store.ts';
import type { LogIdentity, LogState } from './log-state.ts';
import type { LogStore } from './log-store.ts';
import { partialFolder, TILE_WIDTH } from './tile.ts';
import { extend, partialTiles } from './tree-edge.ts';

/** How many times its size a segment may reach while the other one goes into tiles; then commits wait for that. */
const STRETCH = 4;
/** Bytes of full tiles and bundles that may wait for their turn on the disk; then commits wait for them. */
const MOST_UNPLACED = 32 << 20;
/** Entries that go into the tree in one go, between two looks at what else there is to do: about half a millisecond. */
const STEP = TILE_WIDTH;

/**
 * With a journal: a batch is committed when its record is in the journal, which is one flush. The tree grows while the disk works; tiles and the
 * checkpoint are written every `publishEvery` milliseconds, unflushed but for the checkpoint, because the journal has what is in them. When
 * a segment of the journal is full, the other one is started with the state as it is, the tiles are flushed, and the full one goes.
 *
 * Memory: the entries of a step, of the batch under way, and those that are not in the tree yet.
 */
export async function journaledCommits(
  store: LogStore,
  identity: LogIdentity,
  state: LogState,
  { publishEvery, segment }: { readonly publishEvery: number; readonly segment: number },
): Promise<Commits> {
  const journal = store.journal as JournalStore;
  const signer = journalKey(identity.signers);
  const { origin } = identity;
  let { edge, checkpoint } = state;
  /** Entries in the journal. */
  let size = edge.size;
  /** Entries, with their lengths in front, that are in the journal and not in the tree. */
  let grounded: Uint8Array[] = [];
  let next = 0;
  let broken: GlacisError | undefined;
  let timer: NodeJS.Timeout | undefined;
  /** Work on tiles, one after the other. */
  let tiles: Promise<unknown> = Promise.resolve();
  let unplaced = 0;
  let publishing: Promise<Checkpoint> | undefined;
  /** The one after it, once somebody waits for it. */
  let queued: Promise<Checkpoint> | undefined;
  /** Files that were placed since the newest segment began, and before. */
  let placed = new Set<string>();
  let slot = 0;
  let last: Uint8Array = NO_RECORD;
  let written = 0;
  let turning: Promise<void> | undefined;

  /** Writes the state as it is into an empty segment. */
  const begin = async (segment: JournalFile): Promise<JournalFile> => {
    const { bytes, id } = formatRecord(
      signer,
      { kind: 'segment', count: 0, start: edge.size, at: identity.now().getTime(), previous: last },
      formatEdge(origin, edge),
    );
    try {
      await segment.append(bytes);
    } catch (thrown) {
      await segment.close();
      throw thrown;
    }
    last = id;
    written = bytes.length;
    return segment;
  };
  let file = await begin(await journal.open(JOURNAL_PATHS[slot]!));
  /** The other segment, empty, made while this one is being filled: nobody waits for it then. */
  let spare: Promise<JournalFile> | undefined;
  const makeSpare = (): Promise<JournalFile> => {
    spare ??= journal.open(JOURNAL_PATHS[1 - slot]!);
    spare.catch(() => {});
    return spare;
  };

  const breaks = (thrown: unknown): GlacisError => {
    broken ??= asGlacisError(thrown, 'output/unwritable', `log ${origin}`);
    return broken;
  };
  /** Puts up to `most` entries into the tree and gives the work of placing what became full. */
  const growBy = (most: number): void => {
    if (next >= grounded.length) return;
    const end = Math.min(grounded.length, next + most);
    const grown = extend(edge, grounded.slice(next, end));
    next = end;
    if (next === grounded.length) {
      grounded = [];
      next = 0;
    }
    edge = grown.edge;
    if (grown.full.length === 0) return;
    const bytes = grown.full.reduce((sum, file) => sum + file.bytes.length, 0);
    unplaced += bytes;
    tiles = tiles.then(async () => {
      if (broken) return;
      await journal.place(grown.full);
      for (const { path } of grown.full) placed.add(path);
      unplaced -= bytes;
    });
    tiles.catch(breaks);
  };
  const growAll = async (): Promise<void> => {
    while (grounded.length > next) {
      growBy(STEP);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  let growing: NodeJS.Immediate | undefined;
  const growSoon = (): void => {
    growing ??= setImmediate(() => {
      growing = undefined;
      growBy(STEP);
      if (grounded.length > next) growSoon();
    });
  };
  const write = async (): Promise<Checkpoint> => {
    try {
      await growAll();
      const now = edge;
      const since = checkpoint.size;
      await tiles;
      if (broken) throw broken;
      const partial = partialTiles(now, since);
      await journal.place(partial);
      for (const { path } of partial) placed.add(path);
      checkpoint = await publish(store, identity, now);
      await removePartials(since, now.size);
      return checkpoint;
    } catch (thrown) {
      throw breaks(thrown);
    }
  };
  /** Partial tiles that a full one has taken the place of. */
  const removePartials = async (since: number, until: number): Promise<void> => {
    for (let [level, width] = [0, TILE_WIDTH]; Math.floor(until / width) > 0; level++, width *= TILE_WIDTH) {
      const index = Math.floor(since / width);
      if (since % width === 0 && level > 0) continue;
      if (Math.floor(until / width) === index) continue;
      for (const name of level === 0 ? (['entries', 0] as const) : [level])
        await store.remove(partialFolder({ level: name, index }));
    }
  };
  const refresh = (): Promise<Checkpoint> => {
    clearTimeout(timer);
    timer = undefined;
    // Who asks while one is being signed gets the next, because that one may have begun before the entry came.
    if (publishing) {
      queued ??= publishing.then(refresh, refresh);
      return queued;
    }
    queued = undefined;
    const work = write();
    publishing = work;
    const settled = () => {
      publishing = undefined;
      if (broken === undefined && queued === undefined && checkpoint.size < size) schedule();
    };
    work.then(settled, settled);
    return work;
  };
  const schedule = () => {
    timer ??= setTimeout(() => void refresh().catch(() => {}), publishEvery);
  };
  /** Starts the other segment; when it stands, flushes what the old one stood for and removes it. */
  const turn = async (fresh: JournalFile): Promise<void> => {
    await growAll();
    const old = { path: JOURNAL_PATHS[slot]!, file };
    spare = undefined;
    file = await begin(fresh);
    slot = 1 - slot;
    turning = (async () => {
      await old.file.close();
      // The checkpoint must reach the new segment's beginning before the old segment goes.
      await refresh();
      const flushed = [...placed];
      placed = new Set();
      await journal.flush(flushed);
      await journal.remove([old.path]);
    })();
    turning
      .catch(breaks)
      .finally(() => {
        turning = undefined;
      })
      .catch(() => {});
  };
  return {
    get checkpoint() {
      return checkpoint;
    },
    get broken() {
      return broken;
    },
    async commit(frames) {
      while (unplaced > MOST_UNPLACED && broken === undefined) await tiles.catch(breaks);
      if (written >= STRETCH * segment) await turning;
      if (turning === undefined && written >= segment / 2) {
        const other = makeSpare();
        if (written >= segment) await turn(await other);
      }
      if (broken) throw broken;
      const start = size;
      const record = formatRecord(
        signer,
        { kind: 'batch', count: frames.length, start, at: identity.now().getTime(), previous: last },
        frames,
      );
      try {
        const appended = file.append(record.bytes);
        // While the disk works, the entries of earlier batches go into the tree; where this thread stood still for it, when those who wait have heard.
        if (appended) growBy(grounded.length);
        else growSoon();
        await appended;
      } catch (thrown) {
        throw breaks(thrown);
      }
      last = record.id;
      written += record.bytes.length;
      size += frames.length;
      for (const frame of frames) grounded.push(frame);
      schedule();
      return start;
    },
    refresh,
    async close(whole) {
      clearTimeout(timer);
      clearImmediate(growing);
      await turning?.catch(() => {});
      while (publishing) await publishing.catch(() => {});
      try {
        // After a failure the journal stays: what it holds is made good when the log is opened again.
        if (!whole || broken) return;
        if (checkpoint.size < size) await refresh();
        await journal.flush([...placed]);
        await journal.remove(JOURNAL_PATHS);
      } finally {
        clearTimeout(timer);
        await file.close();
        await spare?.then((left) => left.close()).catch(() => {});
      }
    },
  };
}
