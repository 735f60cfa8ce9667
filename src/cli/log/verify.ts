import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import { type ArchivedRange, confirmArchived, firstEntry } from '../../gateway/record/archive.ts';
import {
  type Checkpoint,
  examineLog,
  type Journal,
  type LogFinding,
  openCheckpoint,
  parseNote,
  readCheckpoint,
  readJournal,
} from '../../ledger/index.ts';
import { visible } from '../../report/markup.ts';
import type { Verb } from '../verbs.ts';
import { type OpenedLog, openFrom, placeOf } from './open-log.ts';

/** `glacis log verify`: every entry, every tile, every signature, and that the log goes on from what was seen. */
export const verify: Verb = async (run, [location = '']) => {
  const { given, terminal, signal } = run;
  let opened: OpenedLog;
  try {
    opened = await openFrom(given, location);
  } catch (thrown) {
    if (!(thrown instanceof GlacisError) || !/^ledger\/(untrusted|forked)$/.test(thrown.code)) throw thrown;
    // A verdict about the log, and not about how the command was called.
    await placeOf(location);
    return outcome(location, undefined, 0, [{ where: 'checkpoint', what: thrown.message }]);
  }
  const { source, log, places, states, archived } = opened;
  const { checkpoint } = log;
  const findings: LogFinding[] = [];
  const earlier: Pick<Checkpoint, 'size' | 'root'>[] = [...states];
  const files = [...given.texts('since'), ...(places ? [places.seenFile] : [])];
  for (const file of files) {
    const bytes = await readFile(file).catch((thrown) => {
      if (given.texts('since').includes(file)) throw asGlacisError(thrown, 'ledger/unreadable', file);
      return undefined;
    });
    if (bytes === undefined) continue;
    earlier.push(readSeen(bytes, file, opened));
  }
  for (const { file, bytes } of await witnessed(places?.log)) earlier.push(readSeen(bytes, file, opened));
  const moved: ArchivedRange[] = [];
  for (const range of archived)
    if (await confirmArchived(log, range)) moved.push(range);
    else
      findings.push({
        where: 'archived.json',
        what: `entries ${range.from} to ${range.to - 1} are said to be archived, and the log does not say so`,
      });
  const { findings: found, tiles } = await examineLog(source, checkpoint, {
    archived: firstEntry(moved),
    threads: given.whole('threads', 1) ?? availableParallelism(),
    signal,
    earlier,
    progress: (done, total) => terminal.progress({ label: 'verifying', done, total }),
  });
  findings.push(...found);
  try {
    const journal = await journalOf(opened);
    if (journal !== undefined && journal.size > checkpoint.size)
      terminal.say(
        `${journal.size - checkpoint.size} entries behind the checkpoint are in the journal, signed; they are in the log when it is opened the next time.`,
      );
  } catch (thrown) {
    if (!(thrown instanceof GlacisError)) throw thrown;
    findings.push({ where: 'journal', what: thrown.message });
  }
  return outcome(location, checkpoint, tiles, findings, earlier.length, firstEntry(moved));
};

/** The journal. A server that writes meanwhile may turn to the other segment between two looks, so that one more look is needed; damage stays. */
async function journalOf({ source, trust }: OpenedLog): Promise<Journal | undefined> {
  for (let tries = 0; ; tries++)
    try {
      return await readJournal(source, trust);
    } catch (thrown) {
      if (tries === 4) throw thrown;
      await setTimeout(200);
    }
}

/** A state that was seen before. Its signatures may be those of keys that the log has no more, so it counts as what whoever kept it says it is. */
function readSeen(bytes: Uint8Array, file: string, { trust }: OpenedLog): Pick<Checkpoint, 'size' | 'root'> {
  try {
    return openCheckpoint(bytes, { ...trust, witnesses: [], quorum: 0 }, file);
  } catch (thrown) {
    const body = readCheckpoint(parseNote(bytes, file).text);
    if (body?.origin !== trust.origin) throw thrown;
    return body;
  }
}

/** Checkpoints that witnesses cosigned, as `glacis log witness` keeps them. */
async function witnessed(log: string | undefined): Promise<readonly { file: string; bytes: Buffer }[]> {
  if (log === undefined) return [];
  const folder = join(log, '..', 'witnessed');
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.note')).sort();
  return Promise.all(
    names
      .slice(-1000)
      .map(async (name) => ({ file: join(folder, name), bytes: await readFile(join(folder, name)) })),
  );
}

function outcome(
  location: string,
  checkpoint: Checkpoint | undefined,
  tiles: number,
  findings: readonly LogFinding[],
  seen = 0,
  archived = 0,
) {
  const good = findings.length === 0;
  const signed =
    checkpoint?.at === undefined ? '' : `, signed ${new Date(checkpoint.at * 1000).toISOString()}`;
  return {
    json: {
      schema: 'glacis.log.verification/1',
      log: location,
      ok: good,
      ...(checkpoint && {
        origin: checkpoint.origin,
        entries: checkpoint.size,
        root: Buffer.from(checkpoint.root).toString('base64'),
        signed: checkpoint.at,
      }),
      tiles,
      archived,
      findings,
    },
    text: [
      ...findings.map(({ where, what }) => `NOT OK  ${where}: ${what}`),
      good
        ? `ok: ${checkpoint!.size} entries of ${checkpoint!.origin} lead to the root that was signed${signed}; ${tiles} files compared, ${seen} earlier states${archived > 0 ? `; of the entries below ${archived}, which are archived, only the hashes` : ''}`
        : `${findings.length} findings: this log is not as it was signed`,
      '',
    ]
      .map(visible)
      .join('\n'),
    good,
  };
}
