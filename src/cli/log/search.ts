import { rm } from 'node:fs/promises';
import { firstEntry } from '../../gateway/record/archive.ts';
import { type Found, openLogIndex } from '../../gateway/record/log-index.ts';
import { visible } from '../../report/markup.ts';
import type { Verb } from '../verbs.ts';
import { openFrom, revealFrom } from './open-log.ts';
import { queryFrom } from './query.ts';

/** `glacis log search`: entries that an index finds and the log confirms. */
export const search: Verb = async (run, [location = '']) => {
  const { given, signal } = run;
  const query = queryFrom(given);
  const { log, places, archived } = await openFrom(given, location);
  const reveal = await revealFrom(given, places);
  // What was revealed stays in memory: a file would outlive the key that is erased.
  const index = openLogIndex(given.flag('reveal') ? undefined : places?.index);
  try {
    await index.catchUp(log, reveal, { first: firstEntry(archived), signal });
    const found: Found[] = [];
    for await (const each of index.search(log, query, reveal)) found.push(each);
    return {
      json: {
        schema: 'glacis.log.search/1',
        entries: log.checkpoint.size,
        found: found.map(({ index: at, entry, who }) => ({ index: at, ...entry, ...(who && { who }) })),
      },
      text: `${found.map((each) => `${visible(line(each)).replaceAll('\n', '\ufffd')}\n`).join('')}${found.length} found in ${log.checkpoint.size} entries\n`,
    };
  } finally {
    index.close();
  }
};

/** `glacis log reindex`: the index is made again, from the log. */
export const reindex: Verb = async ({ given, signal }, [location = '']) => {
  const { log, places, archived } = await openFrom(given, location);
  if (places) for (const end of ['', '-wal', '-shm']) await rm(`${places.index}${end}`, { force: true });
  const index = openLogIndex(places?.index);
  try {
    const entries = await index.catchUp(log, async () => undefined, { first: firstEntry(archived), signal });
    return {
      json: { schema: 'glacis.log.index/1', entries, file: places?.index },
      text: `${entries} entries are in the index\n`,
    };
  } finally {
    index.close();
  }
};

function line({ index, entry, who }: Found): string {
  if (entry.schema === 'glacis.event/1') {
    const { at, event, by, about } = entry.event;
    return `${index}  ${timeOf(at)}  ${event} by ${by}  ${JSON.stringify(about)}`;
  }
  const { at, model, version, outcome, because, id } = entry.decision;
  const whom = who?.principal ?? `subject ${entry.subject.slice(0, 12)}`;
  return `${index}  ${timeOf(at)}  ${outcome}  ${whom}  ${model}${version === undefined ? '' : `@${version}`}  ${id}${because === undefined ? '' : `  ${because}`}`;
}

function timeOf(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString();
}
