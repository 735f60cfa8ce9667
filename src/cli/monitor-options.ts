import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { readServe } from '../gateway/config/read-serve.ts';
import { firstEntry } from '../gateway/record/archive.ts';
import { readMonitorCalibration } from '../monitor/calibration-file.ts';
import { monitorsSchema, monitorsSetting } from '../monitor/config-schema.ts';
import type { HubChoice } from '../monitor/hub/messages.ts';
import { FORMATS, pastFromForeign } from '../monitor/past/foreign/past-from-foreign.ts';
import { pastFromTraces } from '../monitor/past/foreign/triton/past-from-traces.ts';
import { traceFiles } from '../monitor/past/foreign/triton/trace-files.ts';
import { readLabels } from '../monitor/past/labels-from-files.ts';
import { type Past, pastFromEntries, pastFromFile } from '../monitor/past/open-past.ts';
import type { PastLabels } from '../monitor/past/tell-labels.ts';
import type { Given, OptionTable } from './args.ts';
import { openFrom } from './log/open-log.ts';
import { foreignFrom } from './monitor-format.ts';

/** Options of both commands. */
export const PAST_OPTIONS: OptionTable = {
  model: { value: 'NAME', help: 'only this model; whom lines are about that name none' },
  format: {
    value: 'NAME|FILE',
    help: `PAST is another server's log in this format: ${FORMATS.join(', ')}, or a mapping (.yaml) that says where each field stands`,
  },
  'caller-attribute': {
    value: 'NAME',
    help: 'which attribute of payload events, or which header kept in them, names who called (authid); only with --format kserve-cloudevents',
  },
  booted: {
    value: 'TIME',
    help: 'when the machine of a trace was started (uptime --since): its times count from then; only with --format triton-trace',
  },
  labels: {
    value: 'FILE',
    many: true,
    help: 'true labels, told late: .jsonl or .csv with decision, sample (0 unless given), label, at (right after its decision unless given); may be repeated',
  },
  config: { value: 'FILE', help: 'a glacis.yaml, whose serve.monitors says how the monitors are set' },
  trust: {
    value: 'FILE',
    help: "a log's keys, as kept elsewhere; the log.trust.json beside it unless given",
  },
};

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

/** The true labels that the arguments name; undefined without any. Errors: those of {@link readLabels}. */
export async function labelsFrom(given: Given, signal: AbortSignal): Promise<PastLabels | undefined> {
  const paths = given.texts('labels');
  return paths.length === 0 ? undefined : readLabels(paths, signal);
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
  const model = given.text('model');
  const foreign = await foreignFrom(given);
  if (foreign?.format === 'triton-trace') {
    const files = new Set((await Promise.all(paths.map(traceFiles))).flat());
    return pastFromTraces([...files], { model, booted: foreign.booted });
  }
  for (const path of paths) {
    const found = await stat(path).catch((thrown) => {
      throw asGlacisError(thrown, 'data/unreadable', path);
    });
    if (found.isDirectory() && foreign !== undefined)
      throw new GlacisError('option/invalid', `${path}: expected a file with --format, got a folder`);
    if (found.isDirectory()) parts.push(await logPast(given, path));
    else if (foreign === undefined) parts.push(pastFromFile(path, model));
    else parts.push(pastFromForeign(path, foreign.format, { model, caller: foreign.caller }));
  }
  return {
    async *batches(signal) {
      for (const part of parts) yield* part.batches(signal);
    },
  };
}

async function logPast(given: Given, path: string): Promise<Past> {
  const record = await stat(join(path, 'record')).then(
    (found) => (found.isDirectory() ? join(path, 'record') : path),
    () => path,
  );
  const { log, archived } = await openFrom(given, record);
  const first = firstEntry(archived);
  return pastFromEntries((signal) => log.entries(first, signal), first);
}
