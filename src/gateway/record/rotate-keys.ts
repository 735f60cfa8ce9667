import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GlacisError } from '../../core/error.ts';
import { writeAtomically } from '../../data/atomic-write.ts';
import {
  cosignNote,
  folderStore,
  formatVerifierKey,
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
import { checkReceipt, receiptExtra } from './receipt.ts';

/** The event with which a log announces its next keys. */
const ANNOUNCED = 'log-keys-rotated';
const ROTATION = /^\d{16}\.tlog-proof$/;
const MOST_ROTATIONS = 1000;

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
    const entry = Buffer.from(`{"event":${body},"schema":"${EVENT_SCHEMA}"}`);
    const index = await writer.append(entry);
    const { note } = writer.checkpoint;
    const both = cosignNote(note, fresh, Math.floor(now() / 1000));
    const state = openCheckpoint(both, { origin, keys: fresh });
    // With the entry in it, so that it leads to the new keys even when the entry is archived.
    const receipt = await readLog(store, state).prove(index, (leaf) => receiptExtra(leaf, entry));
    await mkdir(places.rotations, { recursive: true });
    const name = `${String(index).padStart(16, '0')}.tlog-proof`;
    await writeAtomically(join(places.rotations, name), (write) => write(Buffer.from(receipt)));
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

/** The receipts with which a log went over to new keys, the oldest first. What is in them is attacker-controlled. */
export async function readRotations(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => ROTATION.test(name)).sort();
  return Promise.all(names.slice(0, MOST_ROTATIONS).map((name) => readFile(join(folder, name), 'utf8')));
}

/**
 * Whom to believe now about a log whose keys of before are `trust`. Each step is a receipt of the entry that names the next keys, in a state of the log that the
 * keys before signed. Gives the trust, and the states on the way, which the log must go on from.
 * Errors: `ledger/untrusted`, `ledger/unreadable`.
 */
export function trustAfter(
  trust: LogTrust,
  rotations: readonly string[],
): {
  readonly trust: LogTrust;
  readonly states: readonly { readonly size: number; readonly root: Uint8Array }[];
} {
  let now: LogTrust = { origin: trust.origin, keys: trust.keys };
  const states = [];
  for (const text of rotations) {
    let receipt: ReturnType<typeof checkReceipt>;
    try {
      receipt = checkReceipt(text, now, 'rotation of keys');
    } catch (thrown) {
      // One from before the keys that are trusted.
      if (thrown instanceof GlacisError && states.length === 0) continue;
      throw thrown;
    }
    const { size, root } = receipt.checkpoint;
    const entry = receipt.entry && readEntry(receipt.entry);
    const keys =
      entry?.schema === 'glacis.event/1' && entry.event.event === ANNOUNCED ? entry.event.about.keys : [];
    if (!Array.isArray(keys) || keys.length === 0 || receipt.index !== size - 1)
      throw new GlacisError(
        'ledger/untrusted',
        'rotation of keys: expected the last entry to name the next keys',
      );
    const next = keys.map((key) => parseVerifierKey(String(key)));
    const isSame = next.every((key) =>
      now.keys.some((each) => formatVerifierKey(each) === formatVerifierKey(key)),
    );
    if (isSame) continue;
    states.push({ size, root });
    now = { ...now, keys: next };
  }
  return { trust: { ...trust, keys: now.keys }, states };
}
