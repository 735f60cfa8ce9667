import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Alarm } from '../alarm.ts';
import type { MonitorState } from '../monitor.ts';
import type { Sighting, TrueLabel } from '../sighting.ts';
import {
  type ChosenKind,
  type DrawnSample,
  faultOf,
  type ModelWatch,
  openModelWatch,
  snapshotName,
} from './model-watch.ts';
import { keyOf, type MonitoredModel } from './monitored-model.ts';
import { seenIds } from './seen-ids.ts';

/** What all watches share. */
export interface WatchesSetting {
  /** The kinds that watch a model. */
  readonly kindsOf: (model: string) => readonly ChosenKind[];
  /** What was measured on calm traffic, by model and monitor. */
  readonly calibrationOf: (model: string) => Readonly<Record<string, unknown>>;
  /** Where snapshots lie; without, nothing is remembered over a restart. */
  readonly folder: string | undefined;
  readonly seed: number;
  /** Ids that are remembered at least, to see a sighting once; {@link IDS} unless given. */
  readonly ids?: number | undefined;
  readonly freshId: () => string;
  readonly now: () => number;
}

/** All monitors of all models. */
export interface Watches {
  /** Says what a model is; what is seen of a model that nobody described is only counted. Alarms are about monitors that do not start. */
  describe(about: MonitoredModel): readonly Alarm[];
  see(sightings: readonly Sighting[]): readonly Alarm[];
  learn(labels: readonly TrueLabel[]): readonly Alarm[];
  states(model?: string): readonly MonitorState[];
  samples(model?: string): readonly DrawnSample[];
  /** Writes what is remembered, each file whole or not at all. Gives alarms about what could not be written. */
  save(): readonly Alarm[];
}

/** Models (versions of them) that are watched at once; the one that was described first is forgotten first. */
const MOST_MODELS = 64;

/** Ids of live traffic that are remembered. */
const IDS = 2 ** 16;

/** Most bytes of a snapshot. */
const MOST_BYTES = 2 ** 28;

/** Opens them. Meant for a thread of their own: taking and writing snapshots blocks. */
export function openWatches(setting: WatchesSetting): Watches {
  const watches = new Map<string, ModelWatch>();
  const current = new Map<string, ModelWatch>();
  const ids = seenIds(setting.ids ?? IDS);
  const pathOf = (about: MonitoredModel) =>
    setting.folder === undefined ? undefined : join(setting.folder, snapshotName(about));
  const all = (model: string | undefined) =>
    [...watches.values()].filter(({ about }) => model === undefined || about.model === model);
  return {
    describe(about) {
      const key = keyOf(about);
      const { watch, alarms } = openModelWatch({
        about,
        kinds: setting.kindsOf(about.model),
        calibration: setting.calibrationOf(about.model),
        calm: [],
        remembered: readSnapshot(pathOf(about)),
        seed: setting.seed,
        freshId: setting.freshId,
        now: setting.now,
      });
      watches.delete(key);
      watches.set(key, watch);
      current.set(about.model, watch);
      while (watches.size > MOST_MODELS) {
        const [oldest] = watches.keys();
        const gone = watches.get(oldest!)!;
        watches.delete(oldest!);
        if (current.get(gone.about.model) === gone) current.delete(gone.about.model);
      }
      return alarms;
    },
    see(sightings) {
      const parts = new Map<ModelWatch, Sighting[]>();
      // What is seen next is mostly of the same model.
      let before: Sighting | undefined;
      let watch: ModelWatch | undefined;
      let part: Sighting[] = [];
      for (const sighting of sightings) {
        if (before?.model !== sighting.model || before.digest !== sighting.digest) {
          // A call that was refused before it reached a version counts for the one in service.
          watch = sighting.digest === undefined ? current.get(sighting.model) : watches.get(keyOf(sighting));
          part = (watch && parts.get(watch)) ?? [];
        }
        before = sighting;
        if (watch === undefined || !ids.isNew(sighting.id)) continue;
        if (part.length === 0) parts.set(watch, part);
        part.push(sighting);
      }
      const alarms: Alarm[] = [];
      for (const [watch, part] of parts) alarms.push(...watch.see(part));
      return alarms;
    },
    learn: (labels) => [...watches.values()].flatMap((watch) => watch.learn(labels)),
    states: (model) => all(model).flatMap((watch) => watch.states()),
    samples: (model) => all(model).flatMap((watch) => watch.samples()),
    save() {
      if (setting.folder === undefined) return [];
      const alarms: Alarm[] = [];
      for (const watch of watches.values()) {
        const path = pathOf(watch.about)!;
        try {
          mkdirSync(setting.folder, { recursive: true, mode: 0o700 });
          const beside = `${path}.tmp`;
          writeFileSync(beside, watch.snapshot(), { mode: 0o600, flush: true });
          renameSync(beside, path);
        } catch (thrown) {
          rmSync(`${path}.tmp`, { force: true });
          const because = thrown instanceof Error ? thrown.message : String(thrown);
          alarms.push(
            faultOf(watch.about, {
              id: setting.freshId(),
              at: setting.now(),
              monitor: 'snapshots',
              why: `What the monitors remember could not be written: ${because}. A restart would forget what happened since the last time.`,
            }),
          );
        }
      }
      return alarms;
    },
  };
}

function readSnapshot(path: string | undefined): Uint8Array | undefined {
  if (path === undefined) return undefined;
  try {
    return statSync(path).size > MOST_BYTES ? undefined : readFileSync(path);
  } catch {
    return undefined;
  }
}
