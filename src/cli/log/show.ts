import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import { writeAtomically } from '../../data/atomic-write.ts';
import { commitment } from '../../gateway/record/commitment.ts';
import { readPayloadBytes } from '../../gateway/record/entry-text.ts';
import { whoOf } from '../../gateway/record/log-index.ts';
import { readPayload } from '../../gateway/record/payload-store.ts';
import { type DecisionEntry, readEntry } from '../../gateway/record/read-entry.ts';
import { openBytes } from '../../gateway/record/sealed-bytes.ts';
import type { SubjectKey } from '../../gateway/record/subject-keys.ts';
import { visible } from '../../report/markup.ts';
import type { CommandRun } from '../command.ts';
import type { Verb } from '../verbs.ts';
import { entryIndex, type OpenedLog, openFrom, revealFrom, subjectsFrom } from './open-log.ts';

/** `glacis log show`: the log's state, or one entry, verified; with the subject's key, what it committed to and what was kept. */
export const show: Verb = async (run, [location = '', which]) => {
  const { given, signal } = run;
  const opened = await openFrom(given, location);
  const { log, trust } = opened;
  if (which === undefined) {
    const { origin, size, root, at } = log.checkpoint;
    const json = {
      schema: 'glacis.log.state/1',
      origin,
      entries: size,
      root: Buffer.from(root).toString('base64'),
      signed: at,
      keys: trust.keys.map(({ algorithm, id }) => `${algorithm} ${id}`),
    };
    const signed = at === undefined ? '' : `, signed ${new Date(at * 1000).toISOString()}`;
    return {
      json,
      text: `${visible(origin)}: ${size} entries${signed}\nroot ${json.root}\nkeys ${json.keys.join(', ')}\n`,
    };
  }
  const index = await entryIndex(opened, which, signal);
  const bytes = await log.entry(index);
  const entry = readEntry(bytes);
  if (entry === undefined)
    return {
      json: { schema: 'glacis.log.entry/1', index, raw: Buffer.from(bytes).toString('base64') },
      text: `entry ${index}: ${bytes.length} bytes of another kind\n${visible(Buffer.from(bytes).toString('utf8'))}\n`,
    };
  const checks =
    entry.schema === 'glacis.decision/1'
      ? await look(run, opened, entry)
      : { lines: [], good: undefined, who: undefined };
  const shown = { index, ...entry, ...(checks.who && { who: checks.who }) };
  return {
    json: { ...shown, ...(checks.good !== undefined && { commitments: checks.good ? 'match' : 'differ' }) },
    text: `${visible(JSON.stringify(shown, null, 2))}\n${checks.lines.map((line) => `${visible(line)}\n`).join('')}`,
    ...(checks.good !== undefined && { good: checks.good }),
  };
};

async function look({ given }: CommandRun, { places }: OpenedLog, entry: DecisionEntry) {
  const lines: string[] = [];
  const files = { input: given.texts('input'), output: given.texts('output') } as const;
  let good: boolean | undefined;
  const id = Buffer.from(entry.decision.id, 'hex');
  const who = await whoOf(entry, await revealFrom(given, places));
  const folder = given.text('payload');
  if (files.input.length + files.output.length > 0 || folder !== undefined) {
    const key = await keyOf(await subjectsFrom(given, places), entry);
    for (const what of ['input', 'output'] as const) {
      if (files[what].length === 0) continue;
      const parts = await Promise.all(files[what].map(read));
      const same = commitment(key.salts, id, what, parts) === entry.commitments?.[what];
      good = (good ?? true) && same;
      lines.push(same ? `ok: these are the bytes of the ${what}` : `NOT OK  the ${what} was another`);
    }
    if (folder !== undefined) {
      if (!given.flag('reveal') || entry.payload === undefined)
        throw new GlacisError(
          'option/invalid',
          '--payload: expected --reveal and a decision whose payload was kept',
        );
      const plain = openBytes(
        key.payloads,
        id,
        'payload',
        await readPayload(places!.payloads, entry.payload),
      );
      await mkdir(folder, { recursive: true });
      for (const [what, parts] of Object.entries(readPayloadBytes(plain)))
        for (const [i, part] of parts.entries()) {
          const path = join(folder, `${what}-${i}.bin`);
          await writeAtomically(path, (write) => write(part), { mode: 0o600 });
          lines.push(path);
        }
    }
  }
  return { lines, good, who };
}

async function keyOf(keys: { all(): AsyncGenerator<SubjectKey> }, entry: DecisionEntry): Promise<SubjectKey> {
  for await (const key of keys.all()) if (key.pseudonym === entry.subject) return key;
  throw new GlacisError(
    'vault/key',
    `subject ${entry.subject}: expected its key, but it is not there; where it was erased, nobody can open this any more`,
  );
}

async function read(path: string): Promise<Buffer> {
  return readFile(path).catch((thrown) => {
    throw asGlacisError(thrown, 'data/unreadable', path);
  });
}
