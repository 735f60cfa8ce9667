import { GlacisError } from '../../core/error.ts';
import { openGoodFile } from '../../gateway/investigate/good-file.ts';
import { keptInputs } from '../../gateway/investigate/kept-inputs.ts';
import { pastOfLog } from '../../gateway/investigate/past-of-log.ts';
import { replayKept } from '../../gateway/investigate/replay-kept.ts';
import { firstEntry } from '../../gateway/record/archive.ts';
import { subjectNames } from '../../gateway/record/live/subject-names.ts';
import type { ImpactSummary } from '../../incident/impact/impact.ts';
import { rowsInMemory } from '../../incident/impact/rows-in-memory.ts';
import { runImpact } from '../../incident/impact/run-impact.ts';
import { openFrom, subjectsFrom } from '../log/open-log.ts';
import type { Verb } from '../verbs.ts';
import { impactLines, impactScope } from './impact-text.ts';
import { lines } from './show.ts';

/** `glacis incident replay`: past decisions of a log beside what a good model says of the same inputs, without a server, a store or a case. */
export const replay: Verb = async ({ given, signal, terminal }, [location = '']) => {
  const path = given.text('on');
  if (path === undefined)
    throw new GlacisError('option/invalid', '--on: expected the ONNX FILE to replay kept inputs on');
  const { log, places, archived } = await openFrom(given, location);
  if (places === undefined)
    throw new GlacisError(
      'option/invalid',
      `${location}: expected the folder of a recorder (DATA/record), beside whose log payloads and keys are`,
    );
  const keys = await subjectsFrom(given, places);
  const names = subjectNames(async () => keys, places.subjects);
  const reader = async () => log;
  const failed = (where: string, thrown: unknown) => terminal.say(`${where}: ${thrown}`);
  const good = await openGoodFile(path, { failed });
  try {
    const most = given.whole('limit', 1) ?? 10_000;
    const rows = rowsInMemory(most);
    const summary: ImpactSummary = {
      ...{ id: 'replay', state: 'running', scope: impactScope(given), against: good.digest },
      ...{ log: log.checkpoint.origin, by: 'glacis incident replay', at: Date.now(), progress: [0, 0] },
      ...{ looked: 0, affected: 0, replayed: 0, different: 0, unkept: 0 },
      ...{ principals: [], others: 0, digests: [] },
    };
    const done = await runImpact(
      {
        state: { summary, cursor: 0, rows: 0, tally: [] },
        ...{ mostReplayed: Number.MAX_SAFE_INTEGER, feedModels: [] },
        tolerance: given.numbers('tolerance')?.[0] ?? 1,
      },
      {
        past: pastOfLog({ reader, first: firstEntry(archived), names }),
        replay: replayKept(keptInputs({ reader, names, payloads: places.payloads }), good.ask),
        keep: rows.keep,
        ...{ signal, now: () => performance.now() },
        stepped: ({ progress: [at, of] }) =>
          terminal.progress({ label: 'replaying', done: at, total: Math.max(of, 1) }),
      },
    );
    const found = { ...done, rows: rows.rows() };
    return {
      json: { schema: 'glacis.incident.replay/1', ...found },
      text: lines(impactLines(found)),
    };
  } finally {
    await good.close();
  }
};
