import { readFile } from 'node:fs/promises';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import { checkReceipt, receiptExtra } from '../../gateway/record/receipt.ts';
import { visible } from '../../report/markup.ts';
import type { CommandRun } from '../command.ts';
import { prepareFile, writeText } from '../output.ts';
import type { Outcome, Verb } from '../verbs.ts';
import { entryIndex, openFrom, trustFrom } from './open-log.ts';

/** `glacis log prove`: a receipt of an entry, or the check of one without the log. */
export const prove: Verb = async (run, [location, which]) => {
  const { given, signal } = run;
  const file = given.text('check');
  if (file !== undefined) return check(run, file);
  if (location === undefined || which === undefined)
    throw new GlacisError('option/invalid', 'log prove: expected LOG ENTRY, or --check FILE');
  const opened = await openFrom(given, location);
  const { log } = opened;
  const index = await entryIndex(opened, which, signal);
  const entry = await log.entry(index);
  const proof = await log.prove(index, (leaf) => receiptExtra(leaf, entry));
  const out = given.text('out') ?? `${index}.tlog-proof`;
  await prepareFile(out);
  await writeText(out, proof);
  return {
    json: { schema: 'glacis.log.proof/1', index, size: log.checkpoint.size, file: out },
    text: `${visible(out)}: entry ${index} is in ${log.checkpoint.origin}, of ${log.checkpoint.size} entries\n`,
  };
};

async function check({ given }: CommandRun, file: string): Promise<Outcome> {
  if (given.text('trust') === undefined)
    throw new GlacisError('option/invalid', "--trust: expected the FILE with the log's keys, got nothing");
  const trust = await trustFrom(given, undefined);
  const read = (path: string) =>
    readFile(path).catch((thrown) => {
      throw asGlacisError(thrown, 'ledger/unreadable', path);
    });
  const entryFile = given.text('entry');
  const text = (await read(file)).toString('utf8');
  try {
    const { index, checkpoint, leaf, entry } = checkReceipt(
      text,
      trust,
      file,
      entryFile ? await read(entryFile) : undefined,
    );
    const signed =
      checkpoint.at === undefined ? '' : `, signed ${new Date(checkpoint.at * 1000).toISOString()}`;
    const shown = entry === undefined ? `entry with the hash ${leaf}` : Buffer.from(entry).toString('utf8');
    return {
      json: {
        schema: 'glacis.log.receipt-check/1',
        ok: true,
        index,
        origin: checkpoint.origin,
        size: checkpoint.size,
        leaf,
      },
      text: `ok: entry ${index} of ${checkpoint.origin} (${checkpoint.size} entries${signed})\n${visible(shown).replaceAll('\n', '\ufffd')}\n`,
      good: true,
    };
  } catch (thrown) {
    if (!(thrown instanceof GlacisError) || thrown.code !== 'ledger/untrusted') throw thrown;
    return {
      json: { schema: 'glacis.log.receipt-check/1', ok: false, because: thrown.message },
      text: `NOT OK  ${visible(thrown.message)}\n`,
      good: false,
    };
  }
}
