import { GlacisError } from '../../core/error.ts';
import { writeAtomically } from '../../data/atomic-write.ts';
import { firstEntry } from '../../gateway/record/archive.ts';
import { exportHead, exportLine } from '../../gateway/record/export-text.ts';
import { matches, whoOf } from '../../gateway/record/log-index.ts';
import { readEntry } from '../../gateway/record/read-entry.ts';
import { visible } from '../../report/markup.ts';
import { prepareFile } from '../output.ts';
import type { Verb } from '../verbs.ts';
import { openFrom, revealFrom } from './open-log.ts';
import { queryFrom } from './query.ts';

/** `glacis log export`: entries for other programs, verified one bundle at a time, with nothing in them that a program takes for more than text. */
export const exportLog: Verb = async ({ given, signal }, [location = '']) => {
  const format = given.choice('format', ['jsonl', 'csv']) ?? 'jsonl';
  const out = given.text('out');
  if (out === undefined) throw new GlacisError('option/invalid', '--out: expected a FILE, got nothing');
  await prepareFile(out);
  const query = queryFrom(given);
  const all = Object.values(query).every((value) => value === undefined);
  const { log, places, archived } = await openFrom(given, location);
  const reveal = await revealFrom(given, places);
  const first = firstEntry(archived);
  let [index, written] = [first, 0];
  await writeAtomically(
    out,
    async (write) => {
      let waiting = exportHead(format);
      for await (const bytes of log.entries(first, signal)) {
        const entry = readEntry(bytes);
        const who = entry?.schema === 'glacis.decision/1' ? await whoOf(entry, reveal) : undefined;
        if (all || (entry && matches(entry, who, query))) {
          waiting += exportLine(format, index, bytes, who);
          written++;
        }
        index++;
        if (waiting.length > 1 << 20) {
          await write(Buffer.from(waiting));
          waiting = '';
        }
      }
      await write(Buffer.from(waiting));
    },
    { mode: 0o600 },
  );
  return {
    json: {
      schema: 'glacis.log.export/1',
      file: out,
      format,
      entries: written,
      of: log.checkpoint.size,
      first,
    },
    text: `${visible(out)}: ${written} of ${log.checkpoint.size} entries${first > 0 ? `; those below ${first} are archived` : ''}\n`,
  };
};
