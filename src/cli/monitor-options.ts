import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { readServe } from '../gateway/config/read-serve.ts';
import { firstEntry } from '../gateway/record/archive.ts';
import { readMonitorCalibration } from '../monitor/calibration-file.ts';
import { monitorsSchema, monitorsSetting } from '../monitor/config-schema.ts';
import type { HubChoice } from '../monitor/hub/messages.ts';
import { type Past, sightingFromLine } from '../monitor/past/open-past.ts';
import { readAhead } from '../monitor/past/read-ahead.ts';
import type { Sighting } from '../monitor/sighting.ts';
import type { Given, OptionTable } from './args.ts';
import { openFrom } from './log/open-log.ts';

/** Options of both commands. */
export const PAST_OPTIONS: OptionTable = {
  model: { value: 'NAME', help: 'only this model; whom lines are about that name none' },
  config: { value: 'FILE', help: 'a glacis.yaml, whose serve.monitors says how the monitors are set' },
  trust: {
    value: 'FILE',
    help: "a log's keys, as kept elsewhere; the log.trust.json beside it unless given",
  },
};

/** Decisions of a log that are handed over at once. */
const BLOCK = 4096;

/** The options of monitors, and what was measured for them. Errors: `policy/invalid`, `data/unreadable`, `result/invalid`. */
export async function choiceFrom(given: Given): Promise<HubChoice> {
  const file = given.text('config');
  const config =
    file === undefined
      ? monitorsSchema.parse({})
      : readServe(
          await readFile(file, 'utf8').catch((thrown) => {
            throw asGlacisError(thrown, 'policy/invalid', file);
          }),
          file,
        ).config.monitors;
  const { measured } = config;
  const calibration =
    measured === undefined ? {} : await readMonitorCalibration(resolve(dirname(file ?? '.'), measured));
  return monitorsSetting(config, calibration);
}

/** The past that the arguments name, one after another: files, or folders of logs, which are verified as they are read. Errors: `option/invalid`, those of the log. */
export async function pastFrom(given: Given): Promise<Past> {
  const paths = given.positionals;
  if (paths.length === 0)
    throw new GlacisError(
      'option/invalid',
      'expected PAST: files .jsonl or .csv, or the folder of a log; see --help',
    );
  const parts: Past[] = [];
  for (const path of paths) {
    const found = await stat(path).catch((thrown) => {
      throw asGlacisError(thrown, 'data/unreadable', path);
    });
    parts.push(found.isDirectory() ? await logPast(given, path) : readAhead(path, given.text('model')));
  }
  return {
    async *blocks(signal) {
      for (const part of parts) yield* part.blocks(signal);
    },
  };
}

async function logPast(given: Given, path: string): Promise<Past> {
  const record = await stat(join(path, 'record')).then(
    (found) => (found.isDirectory() ? join(path, 'record') : path),
    () => path,
  );
  const { log, archived } = await openFrom(given, record);
  return {
    async *blocks(signal) {
      let index = firstEntry(archived);
      let sightings: Sighting[] = [];
      let skipped = 0;
      for await (const bytes of log.entries(index, signal)) {
        const found = sightingFromLine(
          Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'),
        );
        // Entries that are no decisions are events, which are nobody's mistake.
        if (found !== undefined) sightings.push({ ...found, entry: index });
        index++;
        if (sightings.length < BLOCK) continue;
        yield { sightings, skipped };
        [sightings, skipped] = [[], 0];
      }
      yield { sightings, skipped };
    },
  };
}
