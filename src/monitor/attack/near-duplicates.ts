import { z } from 'zod';
import { packedFloats, packFloats } from '../../detect/packed-floats.ts';
import {
  type Levels,
  MEASURES,
  type NearDuplicates,
  openNearDuplicates,
} from '../../detect/queries/near-duplicates.ts';
import { recent } from '../../detect/queries/recent.ts';
import type { Alarm } from '../alarm.ts';
import type { MonitorSetting } from '../monitor.ts';
import type { Sighting } from '../sighting.ts';
import { gravity, openDesk } from './alarm-desk.ts';
import { defineAttackKind } from './attack-kind.ts';
import { type CellRow, cellRowsOf, cellsOfFeatures, scaleOf, usualDistances } from './cell-rows.ts';
import { scoreSeries } from './score-series.ts';
import { whoOf } from './sketched-rows.ts';

const level = z.number().gt(0);
const fitSchema = z.strictObject({
  /** Cells of a sketch that are compared. */
  cells: z.int().min(1).max(4096),
  scale: packedFloats(4096),
  radius: z.number().gt(0),
  reach: z.number().gt(0),
  levels: z.strictObject({ size: level, flips: level, descents: level, share: level }),
  calls: z.int().min(0),
});
type Fit = z.output<typeof fitSchema>;

const options = z.strictObject({
  queries: z
    .literal([1024, 2048, 4096, 8192, 16_384, 32_768, 65_536])
    .default(16_384)
    .describe('Queries of everybody that are remembered.'),
  clients: z.int().min(16).max(65_536).default(1024).describe('Clients that are remembered.'),
  guards: z.boolean().default(true).describe('Whether what the guard near-duplicates says counts as well.'),
});
type Options = z.output<typeof options>;

/** Never: near-duplicates of whatever input add up without end where a camera films for long enough. */
const NEVER = 1e12;

/** Evidence below which nothing is an alarm, however calm the calm clients were. */
const LEAST: Levels = { size: 12, flips: 6, descents: 15, share: NEVER };

/** Classes that are told apart; further ones share. */
const MOST_CLASSES = 64;

/** How much more than calm clients ever raised is an alarm. */
const MARGIN = 3;

/**
 * Many small changes of one sample, whoever asks: iterative attacks by queries. The evidence is that of the guard of the same name ({@link openNearDuplicates}), on sketches, so it also sees what the guard is not set up for; and
 * where the guard spoke, its word is taken.
 */
export const nearDuplicates = defineAttackKind<Options, Fit>({
  name: 'near-duplicates',
  about: 'Probing around one input: many small changes of it, by one client or several.',
  options,
  kept: fitSchema,
  toJson: (fit) => ({ ...fit, scale: packFloats(fit.scale) }),
  learns: { sketched: true, calls: 3000 },
  fit(calm, given, setting) {
    const cells = cellsOfFeatures(setting.features);
    const rows = calm.flatMap((sighting) => cellRowsOf(sighting, setting.features.length, cells));
    const scale = scaleOf(rows, setting.features, cells);
    const usual = usualDistances(rows, scale, cells);
    if (usual === undefined) return undefined;
    const fit: Fit = { cells, scale, ...usual, levels: LEAST, calls: calm.length };
    const watch = watchOf(fit, given, setting);
    const highest = { ...LEAST };
    for (const row of rows) {
      const { evidence, isImplicated } = watch.take(row);
      for (const measure of MEASURES)
        if (measure !== 'share' && isImplicated)
          highest[measure] = Math.max(highest[measure], MARGIN * evidence[measure]);
    }
    return { ...fit, levels: highest };
  },
  open: openMonitor,
});

function watchOf(fit: Fit, { queries, clients }: Options, setting: MonitorSetting, state?: Uint8Array) {
  const { cells, scale, radius, reach, levels } = fit;
  const classes = Math.min(MOST_CLASSES, setting.classes ?? 1);
  const detector: NearDuplicates = openNearDuplicates(
    {
      sampleDims: [cells],
      classes,
      ...{ scale, radius, reach, levels, capacity: queries, askers: clients },
      salt: 1 + setting.seed,
    },
    state,
  );
  const scores = new Float32Array(classes);
  return {
    detector,
    take(row: CellRow) {
      // Of the scores the greatest alone is known: it stands for the margin.
      scores.fill(0);
      if (row.label >= 0) scores[row.label % classes] = row.score > 1e-6 ? row.score : 1e-6;
      return detector.observe(whoOf(row.sighting), row.cells, 0, scores, 0);
    },
  };
}

const keptState = z.strictObject({
  said: z.array(z.tuple([z.string(), z.number(), z.number()])).max(2048),
  calls: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
});

interface Suspect {
  score: number;
  first: number;
  queries: number;
  shown: string[];
}

function openMonitor(
  fit: Fit,
  given: Options,
  setting: MonitorSetting,
  state?: { readonly plain: unknown; readonly arrays: Readonly<Record<string, unknown>> },
) {
  const read = keptState.safeParse(state?.plain).data;
  const bytes = state?.arrays.detector;
  const watch = (() => {
    try {
      return watchOf(fit, given, setting, read && bytes instanceof Uint8Array ? bytes : undefined);
    } catch {
      // Kept with other settings: begins anew.
      return watchOf(fit, given, setting);
    }
  })();
  const desk = openDesk('near-duplicates', setting, read?.said);
  const series = scoreSeries();
  const suspects = recent<string, Suspect>(256);
  let [calls, now] = [read?.calls ?? 0, 0];
  const suspectAt = ({ at }: Sighting, who: string) =>
    suspects.at(who, () => ({ score: 0, first: at, queries: 0, shown: [] }));
  const note = (sighting: Sighting, score: number): Suspect => {
    const suspect = suspectAt(sighting, whoOf(sighting));
    suspect.score = score;
    suspect.queries++;
    if (suspect.shown[0] !== sighting.id) suspect.shown.unshift(sighting.id);
    if (suspect.shown.length > 16) suspect.shown.pop();
    return suspect;
  };
  return {
    see(sightings: readonly Sighting[]): readonly Alarm[] {
      const alarms: Alarm[] = [];
      for (const sighting of sightings) {
        calls++;
        now = Math.max(now, sighting.at);
        const who = whoOf(sighting);
        const said = given.guards && sighting.guards.find(({ guard }) => guard === 'near-duplicates');
        if (said && (said.action === 'refuse' || said.action === 'degrade' || said.action === 'flag')) {
          const suspect = note(sighting, Math.max(1.01, Number.isFinite(said.score) ? said.score : 1.01));
          const subject = `near-duplicates ${who}`;
          if (desk.isDue(subject, sighting.at, suspect.score))
            alarms.push(
              desk.say(
                wordOf(
                  sighting,
                  suspect,
                  [who],
                  `The guard near-duplicates said ${said.action}${said.because === undefined ? '' : ` (${said.because})`}.`,
                  { 'score of the guard': suspect.score },
                ),
              ),
            );
        }
        let strongest: ReturnType<typeof watch.take> | undefined;
        for (const row of cellRowsOf(sighting, setting.features.length, fit.cells)) {
          const seen = watch.take(row);
          if (seen.kind !== 'repeat' && seen.score > (strongest?.score ?? 0)) strongest = seen;
        }
        if (strongest === undefined) continue;
        series.take(sighting.at, strongest.score);
        if (strongest.kind !== 'near' || strongest.score < 0.1) continue;
        const suspect = note(sighting, strongest.score);
        if (strongest.score <= 1) continue;
        const subject = `near-duplicates ${who}`;
        if (!desk.isDue(subject, sighting.at, strongest.score)) continue;
        const { measure, evidence } = strongest;
        const others = [...suspects.entries()]
          .filter(([name, { score }]) => name !== who && score > 0.8)
          .map(([name]) => name);
        alarms.push(
          desk.say(
            wordOf(
              sighting,
              suspect,
              [who, ...others],
              `${WORDS[measure]}: ${evidence[measure].toFixed(1)}, where calm clients stay below ${(fit.levels[measure] / MARGIN).toFixed(1)} and the alarm begins at ${fit.levels[measure].toFixed(1)}.`,
              Object.fromEntries(
                MEASURES.filter((each) => each !== 'share').map((each) => [each, evidence[each]]),
              ),
            ),
          ),
        );
      }
      return alarms;
    },
    state: () => {
      const parts = [...suspects.entries()]
        .map(([name, { score }]) => ({ name, score }))
        .sort((a, b) => b.score - a.score)
        .slice(0, 64);
      return {
        phase: now - desk.last() < 600_000 ? ('alarmed' as const) : ('watching' as const),
        score: parts[0]?.score ?? 0,
        threshold: 1,
        series: series.points(),
        falseAlarms: { budgetPerDay: 1 / 7, on: fit.calls },
        parts,
      };
    },
    keep: () => ({
      plain: { said: desk.keep(), calls },
      arrays: { detector: watch.detector.snapshot() },
    }),
  };

  function wordOf(
    { at, id }: Sighting,
    suspect: Suspect,
    principals: readonly string[],
    seen: string,
    figures: Alarm['figures'],
  ) {
    const [who] = principals;
    return {
      at,
      severity: gravity(suspect.score, 1),
      principals,
      subject: `near-duplicates ${who}`,
      title: `${who} is probing ${setting.model} around one input`,
      why: `${seen} It looks like an attack and not like drift because it is the doing of ${principals.length === 1 ? 'one client' : `${principals.length} clients`} around few inputs; drift moves everybody's inputs and does not pile them up.`,
      score: suspect.score,
      threshold: 1,
      first: suspect.first,
      last: at,
      queries: suspect.queries,
      decisions: [id, ...suspect.shown],
      atlas: ['AML.T0043.001', 'AML.T0042'],
      figures,
    };
  }
}

const WORDS: Readonly<Record<keyof Levels, string>> = {
  size: 'Near-duplicates of one input',
  flips: 'Near-duplicates of one input that changed the class',
  descents: 'Near-duplicates of one input that made the model less sure than ever before',
  share: 'Near-duplicates of whatever input, in excess of every other query',
};
