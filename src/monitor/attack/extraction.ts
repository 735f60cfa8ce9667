import { z } from 'zod';
import type { Alarm } from '../alarm.ts';
import type { MonitorSetting } from '../monitor.ts';
import type { Sighting } from '../sighting.ts';
import { gravity, openDesk } from './alarm-desk.ts';
import { keepAskers, keptAskersSchema, restoreAskers } from './asker-memory.ts';
import { DAY, FEWEST_CLIENTS, openAskers } from './askers.ts';
import { defineAttackKind } from './attack-kind.ts';
import { calmRowsToJson } from './calm-rows.ts';
import { type Asker, likeness } from './extraction-evidence.ts';
import { type ExtractionFit, extractionFit, fitExtraction } from './extraction-fit.ts';
import { odds } from './odds.ts';
import { openRunLength } from './run-length.ts';
import { scoreSeries } from './score-series.ts';
import { rowsOf } from './sketched-rows.ts';

const options = z.strictObject({
  budget: z
    .number()
    .gt(0)
    .max(1000)
    .default(1 / 7)
    .describe('False alarms a day that are allowed, at the traffic of now.'),
  clients: z.int().min(16).max(65_536).default(1024).describe('Clients that are remembered.'),
});
type Options = z.output<typeof options>;

/** Clients that are alike (cosine) and suspicious (share of the threshold, of what is left of the evidence after what calm gives by itself) are named together. */
const ALIKE = 0.7;
const SUSPICIOUS = 0.3;

/** When more than this share of at least so many clients is suspicious, the world has changed. */
const MANY = 0.4;

/**
 * Copying of the model: clients whose queries are not distributed as calm ones (another domain, noise, synthetic ones), each by itself and all together, so that a copy split over many keys adds up. What all clients have in
 * common now is taken off first (the median over clients), so that a slow drift of everybody is nobody's attack.
 *
 * Blind to a thief who asks what calm clients ask: only budgets help there.
 */
export const extraction = defineAttackKind<Options, ExtractionFit>({
  name: 'extraction',
  about: 'Copying of the model by queries that calm clients do not ask, also when split over many keys.',
  options,
  kept: extractionFit,
  toJson: (fit) => ({ ...fit, rows: calmRowsToJson(fit.rows) }),
  learns: { sketched: true, calls: 3000 },
  fit: fitExtraction,
  open: openExtraction,
});

const keptState = z.strictObject({
  perDay: z.number().min(0).max(Number.MAX_SAFE_INTEGER),
  said: z.array(z.tuple([z.string(), z.number(), z.number()])).max(2048),
  askers: keptAskersSchema,
});

function openExtraction(
  fit: ExtractionFit,
  given: Options,
  setting: MonitorSetting,
  state?: { readonly plain: unknown; readonly arrays: Readonly<Record<string, unknown>> },
) {
  const watch = openAskers(fit, given.clients);
  const width = setting.features.length;
  const read = keptState.safeParse(state?.plain).data;
  if (state && read) restoreAskers(read.askers, state.arrays, watch);
  const run = openRunLength(given.budget, read?.perDay);
  const desk = openDesk('extraction', setting, read?.said);
  const series = scoreSeries();
  /** Where evidence is an alarm: what the budget wants, and clearly beyond what calm clients raised. */
  const threshold = () => Math.max(run.log(), 1.25 * fit.calm.one + 3);
  const thresholdOfAll = () => Math.max(run.log(), 1.5 * fit.calm.all + 5);
  const suspicious = (than: number): readonly Asker[] => {
    const found: Asker[] = [];
    for (const [, asker] of watch.known.entries()) if (asker.part > than) found.push(asker);
    return found.sort((a, b) => b.evidence - a.evidence);
  };
  /** Whether so many changed that it is the world that did. */
  const isWorld = (than: number, now: number): boolean => {
    let [active, changed] = [0, 0];
    for (const [, { last, evidence, rows }] of watch.known.entries()) {
      if (rows < 8 || now - last > DAY) continue;
      active++;
      if (evidence > than) changed++;
    }
    return active >= FEWEST_CLIENTS && changed > MANY * active;
  };
  return {
    see(sightings: readonly Sighting[]): readonly Alarm[] {
      const alarms: Alarm[] = [];
      for (const sighting of sightings)
        for (const row of rowsOf(sighting, width)) {
          run.take(sighting.at);
          const asker = watch.take(row);
          if (asker === undefined) continue;
          const [one, all] = [threshold(), thresholdOfAll()];
          series.take(sighting.at, Math.max(0, asker.evidence));
          const alone = asker.evidence > one;
          const together = !alone && asker.part > SUSPICIOUS * one && watch.together() > all;
          if (!alone && !together) continue;
          const subject = alone ? `extraction ${asker.name}` : `extraction ${setting.model} by many`;
          const score = alone ? asker.evidence : watch.together();
          if (!desk.isDue(subject, sighting.at, score) || isWorld(SUSPICIOUS * one, sighting.at)) continue;
          alarms.push(desk.say(wordOf(asker, sighting, { one, all, alone, subject, score })));
        }
      return alarms;
    },
    state: () => {
      const one = threshold();
      const most = suspicious(Number.NEGATIVE_INFINITY).slice(0, 64);
      const score = Math.max(0, most[0]?.evidence ?? 0);
      const now = Math.max(...most.map(({ last }) => last), 0);
      const world = isWorld(SUSPICIOUS * one, now);
      return {
        phase: score > one && !world ? ('alarmed' as const) : ('watching' as const),
        ...(world && { because: 'so many clients changed at once that it is drift, not an attack' }),
        score,
        threshold: one,
        series: series.points(),
        falseAlarms: {
          budgetPerDay: given.budget,
          on: fit.calm.rows,
        },
        parts: most.map(({ name, evidence }) => ({ name, score: Math.max(0, evidence) })),
      };
    },
    keep() {
      const { plain, arrays } = keepAskers(watch);
      return { plain: { perDay: run.perDay(), said: desk.keep(), askers: plain }, arrays };
    },
  };

  function wordOf(
    asker: Asker,
    sighting: Sighting,
    {
      one,
      all,
      alone,
      subject,
      score,
    }: {
      readonly one: number;
      readonly all: number;
      readonly alone: boolean;
      readonly subject: string;
      readonly score: number;
    },
  ) {
    const others = suspicious(SUSPICIOUS * one).filter((other) => other !== asker);
    const linked = alone ? others.filter((other) => likeness(asker, other) > ALIKE) : others;
    const named = [asker, ...linked];
    const share = asker.odd / Math.max(1, asker.rows);
    const calmest = suspicious(Number.NEGATIVE_INFINITY);
    const quiet = calmest.filter(({ part }) => part < SUSPICIOUS * one).length;
    return {
      at: sighting.at,
      severity: gravity(score, alone ? one : all),
      principals: named.map(({ name }) => name),
      subject,
      title:
        named.length > 1
          ? `${named.length} clients seem to copy ${setting.model} together`
          : `${asker.name} seems to copy ${setting.model}`,
      why:
        `What ${asker.name} asks is not distributed as calm clients' queries: ${percent(share)} of its queries are odd by themselves, where ${percent(watch.usual())} are usual, and the odds against a calm client are ${odds(score)} (alarm from ${odds(alone ? one : all)}). ` +
        (named.length > 1
          ? `${named.length} clients deviate ${alone ? 'in the same direction' : 'at once'} and are taken for one. `
          : '') +
        `It looks like an attack and not like drift because ${quiet} of ${calmest.length} clients ask as before; what all have in common was taken off first.`,
      score,
      threshold: alone ? one : all,
      first: Math.min(...named.map(({ first }) => first)),
      last: sighting.at,
      queries: named.reduce((sum, { asked }) => sum + asked, 0),
      decisions: named.flatMap(({ shown }) => shown),
      atlas: ['AML.T0024.002', 'AML.T0048.004'],
      figures: {
        'odd share': share,
        'usual odd share': watch.usual(),
        'ln evidence of the shift': asker.shifted,
        'ln evidence of odd queries': asker.chances.evidence(),
        'clients named': named.length,
        'calm clients': quiet,
      },
    };
  }
}

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
