import { throwIfCancelled } from '../../core/cancel.ts';
import type { Progress } from '../../core/progress.ts';
import { ALARM_SEVERITIES, type Alarm } from '../alarm.ts';
import { chosenKinds } from '../hub/chosen-kinds.ts';
import { KINDS } from '../hub/kinds.ts';
import type { HubChoice } from '../hub/messages.ts';
import { openWatches } from '../hub/watches.ts';
import type { MonitorState } from '../monitor.ts';
import type { Sighting } from '../sighting.ts';
import type { Past } from './open-past.ts';

/** What monitors found in past decisions. */
export interface PastAnalysis {
  readonly schema: 'glacis.monitor/1';
  readonly decisions: number;
  /** Lines that were no decision, and decisions of models that were not asked for. */
  readonly skipped: number;
  readonly first: number | undefined;
  readonly last: number | undefined;
  readonly models: readonly {
    readonly model: string;
    readonly digest?: string | undefined;
    readonly decisions: number;
  }[];
  /** The gravest first, then the latest; {@link MOST_ALARMS} at most. */
  readonly alarms: readonly Alarm[];
  /** All of them, by monitor and severity. */
  readonly counts: readonly {
    readonly monitor: string;
    readonly kind: Alarm['kind'];
    readonly severity: Alarm['severity'];
    readonly count: number;
  }[];
  readonly states: readonly MonitorState[];
}

/** How past decisions are looked at. */
export interface PastSetting {
  readonly choice: HubChoice;
  /** Only this model; all without. */
  readonly model?: string | undefined;
  /** Sizes of one sample, where sketches are of pictures: what is sketched cannot be told from a row. */
  readonly sampleDims?: readonly number[] | undefined;
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: Progress | undefined;
}

/** Alarms that are kept one by one; models that are told apart. */
const MOST_ALARMS = 1000;
const MOST_MODELS = 64;

/** A log holds each decision once; what several gateways wrote twice stands near each other. */
const IDS = 2 ** 12;

/** Sightings that monitors take at once. */
const BLOCK = 4096;

/**
 * Lets all monitors look at past decisions, as if they had come in now. Monitors that no calibration was made for learn from the first of them. Classes are counted up from the labels that are
 * seen in the first block of a model. Memory is that of the monitors, whatever the number of decisions. Errors: those of the source, `run/cancelled`.
 */
export async function analysePast(past: Past, setting: PastSetting): Promise<PastAnalysis> {
  const { choice, model: only, seed = 0, signal, progress } = setting;
  let next = 0;
  const watches = openWatches({
    kindsOf: (model) => chosenKinds(KINDS, choice, model),
    calibrationOf: (model) => (Object.hasOwn(choice.calibration, model) ? choice.calibration[model]! : {}),
    folder: undefined,
    ids: IDS,
    seed,
    freshId: () => (next++).toString(16).padStart(32, '0'),
    now: () => last ?? 0,
  });
  const models = new Map<string, { model: string; digest: string | undefined; decisions: number }>();
  const counts = new Map<string, PastAnalysis['counts'][number] & { count: number }>();
  let alarms: Alarm[] = [];
  let [decisions, skipped] = [0, 0];
  let first: number | undefined;
  let last: number | undefined;
  const hear = (found: readonly Alarm[]): void => {
    for (const alarm of found) {
      const key = `${alarm.monitor} ${alarm.kind} ${alarm.severity}`;
      const count = counts.get(key);
      if (count) count.count++;
      else counts.set(key, { monitor: alarm.monitor, kind: alarm.kind, severity: alarm.severity, count: 1 });
      alarms.push(alarm);
    }
    if (alarms.length > 2 * MOST_ALARMS) alarms = gravest(alarms);
  };
  for await (const block of past.blocks(signal)) {
    throwIfCancelled(signal, 'past decisions');
    skipped += block.skipped;
    const wanted: Sighting[] = [];
    for (const sighting of block.sightings) {
      if (only !== undefined && sighting.model !== only) {
        skipped++;
        continue;
      }
      const key = `${sighting.digest ?? ''}\n${sighting.model}`;
      const known = models.get(key);
      if (known) known.decisions++;
      else if (models.size < MOST_MODELS) {
        models.set(key, { model: sighting.model, digest: sighting.digest, decisions: 1 });
        const alike = block.sightings.filter((each) => each.model === sighting.model);
        hear(watches.describe(describedBy(sighting, alike, block.features)));
      } else {
        skipped++;
        continue;
      }
      wanted.push(sighting);
      if (first === undefined || sighting.at < first) first = sighting.at;
      if (last === undefined || sighting.at > last) last = sighting.at;
    }
    for (let at = 0; at < wanted.length; at += BLOCK)
      hear(watches.see(at === 0 && wanted.length <= BLOCK ? wanted : wanted.slice(at, at + BLOCK)));
    decisions += wanted.length;
    progress?.({ label: 'decisions', done: decisions, note: `${alarms.length} alarms` });
  }
  return {
    schema: 'glacis.monitor/1',
    ...{ decisions, skipped, first, last },
    models: [...models.values()],
    alarms: gravest(alarms),
    counts: [...counts.values()].sort((a, b) => b.count - a.count),
    states: watches.states(),
  };
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

function gravest(alarms: readonly Alarm[]): Alarm[] {
  return alarms
    .toSorted(
      (a, b) => ALARM_SEVERITIES.indexOf(a.severity) - ALARM_SEVERITIES.indexOf(b.severity) || b.at - a.at,
    )
    .slice(0, MOST_ALARMS);
}
