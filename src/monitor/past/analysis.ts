import type { Alarm } from '../alarm.ts';
import { chosenKinds } from '../hub/chosen-kinds.ts';
import { KINDS } from '../hub/kinds.ts';
import type { HubChoice } from '../hub/messages.ts';
import { openWatches, type Watches } from '../hub/watches.ts';
import type { MonitorState } from '../monitor.ts';
import type { Sighting, TrueLabel } from '../sighting.ts';
import type { PastBlock } from './open-past.ts';

/** How some of the monitors look at past decisions. Plain data: it crosses threads. */
export interface AnalysisSetting {
  readonly choice: HubChoice;
  /** Only this model; all without. */
  readonly model: string | undefined;
  readonly seed: number;
  /** Names of the kinds that look; all without. */
  readonly kinds: readonly string[] | undefined;
}

/** What there was to look at, and how monitors stand at the end. Plain data. */
export interface AnalysisEnd {
  readonly decisions: number;
  readonly skipped: number;
  /** Decisions that name neither a principal nor an address: who called them cannot be told apart. */
  readonly unnamed: number;
  readonly first: number | undefined;
  readonly last: number | undefined;
  readonly models: readonly {
    readonly model: string;
    readonly digest?: string | undefined;
    readonly decisions: number;
  }[];
  readonly states: readonly MonitorState[];
}

/** Some monitors that look at past decisions, block by block. */
export interface Analysis {
  /** Alarms without ids, in the order of kinds: however kinds are shared out, putting their alarms one behind the other and {@link inOrder} give the same. */
  take(block: PastBlock): readonly Alarm[];
  end(): AnalysisEnd;
}

/** Models that are told apart. */
const MOST_MODELS = 64;

/** A log holds each decision once; what several gateways wrote twice stands near each other. */
const IDS = 2 ** 12;

const ORDER = new Map(KINDS.map(({ name }, i) => [name, i]));

/** Alarms of one block by their kinds, otherwise as they came. */
export function inOrder(alarms: readonly Alarm[]): readonly Alarm[] {
  return alarms.toSorted((a, b) => (ORDER.get(a.monitor) ?? 0) - (ORDER.get(b.monitor) ?? 0));
}

/** States model by model, kinds in their order: the same however kinds were shared out. */
export function statesInOrder({ states, models }: AnalysisEnd): readonly MonitorState[] {
  const place = new Map([...new Set(models.map(({ model }) => model))].map((model, i) => [model, i]));
  return states.toSorted(
    (a, b) =>
      place.get(a.model)! - place.get(b.model)! || (ORDER.get(a.monitor) ?? 0) - (ORDER.get(b.monitor) ?? 0),
  );
}

/** Opens it. Monitors that no calibration was made for learn from the first decisions. Classes are counted up from the labels that are seen in the first block of a model. */
export function openAnalysis({ choice, model: only, seed, kinds }: AnalysisSetting): Analysis {
  const looking = kinds === undefined ? KINDS : KINDS.filter(({ name }) => kinds.includes(name));
  const watches = openWatches({
    kindsOf: (model) => chosenKinds(looking, choice, model),
    calibrationOf: (model) => (Object.hasOwn(choice.calibration, model) ? choice.calibration[model]! : {}),
    folder: undefined,
    ids: IDS,
    seed,
    freshId: () => '',
    now: () => last ?? 0,
  });
  const models = new Map<string, { model: string; digest: string | undefined; decisions: number }>();
  let [decisions, skipped, unnamed] = [0, 0, 0];
  let first: number | undefined;
  let last: number | undefined;
  /** The model of the sighting before, which mostly is the one of the next. */
  let known: { model: string; digest: string | undefined; decisions: number } | undefined;
  return {
    take(block) {
      skipped += block.skipped;
      const alarms: Alarm[] = [];
      const wanted: Sighting[] = [];
      const { sightings, labels = [] } = block;
      const told: Told[] = [];
      let i = 0;
      for (const sighting of sightings) {
        while (told.length < labels.length && labels[told.length]!.after <= i)
          told.push({ after: wanted.length, labels: labels[told.length]!.labels });
        i++;
        const { model, digest, at } = sighting;
        if (only !== undefined && model !== only) {
          skipped++;
          continue;
        }
        if (known === undefined || known.model !== model || known.digest !== digest) {
          const key = `${digest ?? ''}\n${model}`;
          known = models.get(key);
          if (known === undefined && models.size >= MOST_MODELS) {
            skipped++;
            continue;
          }
          if (known === undefined) {
            known = { model, digest, decisions: 0 };
            models.set(key, known);
            const alike = sightings.filter((each) => each.model === model);
            alarms.push(...watches.describe(describedBy(sighting, alike, block.features)));
          }
        }
        known.decisions++;
        wanted.push(sighting);
        if (sighting.principal === undefined && sighting.address === '') unnamed++;
        if (first === undefined || at < first) first = at;
        if (last === undefined || at > last) last = at;
      }
      decisions += wanted.length;
      for (const { labels: rest } of labels.slice(told.length))
        told.push({ after: wanted.length, labels: rest });
      alarms.push(...seeAndLearn(watches, wanted, told));
      return alarms;
    },
    end: () => ({
      ...{ decisions, skipped, unnamed, first, last },
      models: [...models.values()],
      states: watches.states(),
    }),
  };
}

/** Labels, and how many of the decisions that are looked at come before them. */
interface Told {
  readonly after: number;
  readonly labels: readonly TrueLabel[];
}

/** Decisions with the labels among them. */
function seeAndLearn(watches: Watches, sightings: readonly Sighting[], told: readonly Told[]): Alarm[] {
  const alarms: Alarm[] = [];
  let from = 0;
  for (const { after, labels } of told) {
    if (after > from) alarms.push(...watches.see(sightings.slice(from, after)));
    from = after;
    alarms.push(...watches.learn(labels));
  }
  alarms.push(...watches.see(from === 0 ? sightings : sightings.slice(from)));
  return alarms;
}

/** What can be told of a model from what was decided. */
export function describedBy(sighting: Sighting, alike: readonly Sighting[], features?: readonly string[]) {
  let [classes, width] = [0, 0];
  for (const { top, sketch } of alike) {
    if (sketch !== undefined) width = sketch.width;
    for (const [label] of top ?? [])
      if (Number.isInteger(label) && label >= 0 && label < 65_536) classes = Math.max(classes, label + 1);
  }
  return {
    ...{ model: sighting.model, version: sighting.version, digest: sighting.digest },
    classes: classes > 0 ? Math.max(2, classes) : undefined,
    sampleDims: width > 0 && width <= 64 ? [width] : undefined,
    names: features,
  };
}
