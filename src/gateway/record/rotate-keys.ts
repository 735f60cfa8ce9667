import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GlacisError } from '../../core/error.ts';
import { writeAtomically } from '../../data/atomic-write.ts';
import {
  cosignNote,
  folderStore,
  formatVerifierKey,
  type LogSource,
  type LogTrust,
  type NoteSigner,
  openCheckpoint,
  openWriter,
  parseVerifierKey,
  readLog,
} from '../../ledger/index.ts';
import { eventText } from './decision-text.ts';
import { EVENT_SCHEMA } from './entry-text.ts';
import { type LogFolder, trustOf, writePrivate } from './log-folder.ts';
import { readEntry } from './read-entry.ts';

/** The event with which a log announces its next keys. */
const ANNOUNCED = 'log-keys-rotated';

/**
 * Gives a log new keys: an entry names them, a checkpoint that the old keys signed holds it, and the new keys sign the same state beside them. So who
 * trusts the old keys is led to the new ones ({@link trustAfter}), and who trusts the new ones needs nothing else. The log must not be open.
 * `pem` are the new private keys. Errors: `ledger/locked`, those of `openWriter`.
 */
export async function rotateKeys(
  places: LogFolder,
  keyFile: string,
  origin: string,
  [old, fresh]: readonly [readonly NoteSigner[], readonly NoteSigner[]],
  { pem, by, now }: { readonly pem: Uint8Array; readonly by: string; readonly now: () => number },
): Promise<number> {
  const store = folderStore(places.log);
  const clock = () => new Date(now());
  const writer = await openWriter(store, { origin, signers: old, now: clock });
  try {
    const body = eventText({
      kind: 'event',
      at: now(),
      event: ANNOUNCED,
      by,
      about: { keys: fresh.map(formatVerifierKey) },
    });
    const index = await writer.append(Buffer.from(`{"event":${body},"schema":"${EVENT_SCHEMA}"}`));
    const { note } = writer.checkpoint;
    const both = cosignNote(note, fresh, Math.floor(now() / 1000));
    openCheckpoint(both, { origin, keys: fresh });
    await mkdir(places.rotations, { recursive: true });
    const name = `${String(index).padStart(16, '0')}.note`;
    await writeAtomically(join(places.rotations, name), (write) => write(both));
    // What both have signed opens with either: so whatever of this a crash leaves undone, the log opens.
    await writeAtomically(places.seenFile, (write) => write(both));
    await store.write([{ path: 'checkpoint', bytes: both }]);
    await writePrivate(keyFile, pem);
    const trust = trustOf(origin, fresh);
    await writeAtomically(places.trustFile, (write) =>
      write(Buffer.from(`${JSON.stringify(trust, null, 2)}\n`)),
    );
    return index;
  } finally {
    await writer.close();
  }
}

/** The checkpoints with which a log went over to new keys, the oldest first. What is in them is attacker-controlled. */
export async function readRotations(folder: string): Promise<readonly Uint8Array[]> {
  const names = await readdir(folder).catch(() => []);
  const notes: Uint8Array[] = [];
  for (const name of names
    .filter((each) => /^\d{16}\.note$/.test(each))
    .sort()
    .slice(0, 1000))
    notes.push(await readFile(join(folder, name)));
  return notes;
}

/**
 * Whom to believe now about a log whose keys of before are `trust`: each step is an entry that names the next keys, in a state of the log that the keys
 * before signed. Gives the trust, and the states on the way, which the log must go on from.
 * Errors: `ledger/untrusted`.
 */
export async function trustAfter(
  source: LogSource,
  trust: LogTrust,
  rotations: readonly Uint8Array[],
): Promise<{
  readonly trust: LogTrust;
  readonly states: readonly { readonly size: number; readonly root: Uint8Array }[];
}> {
  let now: LogTrust = { ...trust, witnesses: [], quorum: 0 };
  const states = [];
  for (const note of rotations) {
    let checkpoint: ReturnType<typeof openCheckpoint>;
    try {
      checkpoint = openCheckpoint(note, now, 'rotation of keys');
    } catch (thrown) {
      // One from before the keys that are trusted.
      if (thrown instanceof GlacisError && states.length === 0) continue;
      throw thrown;
    }
    const entry = readEntry(await readLog(source, checkpoint).entry(checkpoint.size - 1));
    const keys =
      entry?.schema === 'glacis.event/1' && entry.event.event === ANNOUNCED ? entry.event.about.keys : [];
    if (!Array.isArray(keys) || keys.length === 0)
      throw new GlacisError(
        'ledger/untrusted',
        'rotation of keys: expected the last entry to name the next keys',
      );
    const next = keys.map((key) => parseVerifierKey(String(key)));
    const same = next.every((key) =>
      now.keys.some((each) => formatVerifierKey(each) === formatVerifierKey(key)),
    );
    if (same) continue;
    states.push({ size: checkpoint.size, root: checkpoint.root });
    now = { ...now, keys: next };
  }
  return { trust: { ...trust, keys: now.keys }, states };
}
