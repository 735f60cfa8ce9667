import { createHash } from 'node:crypto';
import { GlacisError } from '../../core/error.ts';
import { stateFromBytes, stateToBytes } from '../../detect/state-bytes.ts';
import type { Alarm } from '../alarm.ts';
import type { Monitor, MonitorKind, MonitorSetting, MonitorState } from '../monitor.ts';
import type { Sighting, TrueLabel } from '../sighting.ts';
import { planSketch, type SketchPlan, type SmallPicture } from '../sketch/sketch-plan.ts';
import { keyOf, type MonitoredModel } from './monitored-model.ts';

/** A kind with what the configuration says of it; `undefined` options take the kind's defaults. */
export interface ChosenKind {
  // biome-ignore lint/suspicious/noExplicitAny: kinds of all options stand in one list.
  readonly kind: MonitorKind<any>;
  readonly options: unknown;
}

/** What the watch over a model is made from. */
export interface WatchSetting {
  readonly about: MonitoredModel;
  readonly kinds: readonly ChosenKind[];
  /** By the name of the monitor. */
  readonly calibration: Readonly<Record<string, unknown>>;
  readonly calm: readonly Sighting[];
  readonly remembered: Uint8Array | undefined;
  readonly seed: number;
  readonly freshId: () => string;
  readonly now: () => number;
}

/** A sketch that was drawn of late, for people. */
export interface DrawnSample {
  readonly decision: string;
  readonly at: number;
  readonly principal: string | undefined;
  readonly label: number | undefined;
  readonly score: number | undefined;
  readonly picture?: SmallPicture;
  readonly features?: readonly number[];
}

/** All monitors of one model. */
export interface ModelWatch {
  readonly about: MonitoredModel;
  see(sightings: readonly Sighting[]): readonly Alarm[];
  learn(labels: readonly TrueLabel[]): readonly Alarm[];
  states(): readonly MonitorState[];
  samples(): readonly DrawnSample[];
  snapshot(): Uint8Array;
}

const KIND = 'monitors/1';
const SHOWN = 24;

/**
 * Opens the monitors of a model. One that throws, now or later, is stopped and reported as a fault; the others go on. What was remembered with other settings, or is damaged, is not taken up: the monitor
 * begins anew. Never throws.
 */
export function openModelWatch(setting: WatchSetting): {
  readonly watch: ModelWatch;
  readonly alarms: readonly Alarm[];
} {
  const { about, calibration, calm, now, freshId } = setting;
  const plan = planOf(about);
  const kept = rememberedBy(setting.remembered, about);
  const running = new Map<string, Monitor>();
  const stopped = new Map<string, string>();
  const drawn: { readonly sighting: Sighting; readonly row: Float32Array; readonly sample: number }[] = [];
  const stop = (name: string, thrown: unknown): Alarm => {
    running.delete(name);
    const because = thrown instanceof Error ? thrown.message : String(thrown);
    stopped.set(name, because.slice(0, 300));
    return faultOf(about, {
      id: freshId(),
      at: now(),
      monitor: name,
      why: `It failed and was stopped: ${because.slice(0, 300)}. The other monitors go on; serving is not touched. It is started again with the server, or when its options change.`,
    });
  };
  const guarded = (work: (monitor: Monitor) => readonly Alarm[] | undefined): readonly Alarm[] => {
    const alarms: Alarm[] = [];
    for (const [name, monitor] of [...running]) {
      try {
        const found = work(monitor);
        if (found !== undefined) alarms.push(...found);
      } catch (thrown) {
        alarms.push(stop(name, thrown));
      }
    }
    return alarms;
  };

  const first: Alarm[] = [];
  for (const { kind, options } of setting.kinds) {
    try {
      const given: MonitorSetting = {
        model: about.model,
        version: about.version,
        digest: about.digest,
        classes: about.classes,
        features: plan?.features ?? [],
        calibration: calibration[kind.name],
        calm,
        remembered: kept.get(kind.name),
        seed: setting.seed,
        freshId,
      };
      running.set(kind.name, kind.make(kind.options.parse(options ?? {}), given));
    } catch (thrown) {
      first.push(stop(kind.name, thrown));
    }
  }
  return {
    alarms: first,
    watch: {
      about,
      see(sightings) {
        for (const sighting of sightings) {
          const { sketch } = sighting;
          if (sketch === undefined || sketch.width !== plan?.features.length) continue;
          const row = sketch.values.subarray(0, sketch.width);
          drawn.push({ sighting, row, sample: sketch.samples[0] ?? 0 });
        }
        if (drawn.length > SHOWN) drawn.splice(0, drawn.length - SHOWN);
        return guarded((monitor) => monitor.see(sightings));
      },
      learn: (labels) => guarded((monitor) => monitor.learn?.(labels)),
      states() {
        const states: MonitorState[] = [];
        for (const [name, monitor] of [...running]) {
          try {
            states.push(monitor.state());
          } catch (thrown) {
            stop(name, thrown);
          }
        }
        for (const [monitor, because] of stopped)
          states.push({
            monitor,
            model: about.model,
            phase: 'blind',
            because: `stopped: ${because}`,
            score: undefined,
            threshold: undefined,
            series: [],
            parts: [],
          });
        return states;
      },
      samples: () =>
        drawn
          .map(({ sighting, row, sample }): DrawnSample => {
            const [label, score] = sighting.top?.[sample] ?? [];
            const picture = plan?.picture(row);
            return {
              decision: sighting.id,
              at: sighting.at,
              principal: sighting.principal,
              label,
              score,
              ...(picture ? { picture } : { features: Array.from(row) }),
            };
          })
          .reverse(),
      snapshot() {
        const arrays: Record<string, Uint8Array> = {};
        for (const [name, monitor] of [...running]) {
          try {
            arrays[name] = monitor.snapshot();
          } catch (thrown) {
            stop(name, thrown);
          }
        }
        return stateToBytes({
          kind: KIND,
          plain: { model: about.model, digest: about.digest ?? '' },
          arrays,
        });
      },
    },
  };
}

/** Where a model's snapshot lies: a name that no hostile model name can shape. */
export function snapshotName(about: Pick<MonitoredModel, 'model' | 'digest'>): string {
  return `${createHash('sha256').update(keyOf(about)).digest('hex').slice(0, 40)}.monitors`;
}

/** An alarm about a part of the system itself. */
export function faultOf(
  { model, version, digest }: Pick<MonitoredModel, 'model' | 'version' | 'digest'>,
  {
    id,
    at,
    monitor,
    why,
  }: { readonly id: string; readonly at: number; readonly monitor: string; readonly why: string },
): Alarm {
  return {
    ...{ id, at, monitor, model, version, digest, why },
    kind: 'fault',
    severity: 'medium',
    principals: [],
    subject: `fault ${monitor} ${model}`,
    title: `monitor ${monitor} does not work`,
    score: 1,
    threshold: 1,
    first: at,
    last: at,
    queries: 0,
    decisions: [],
    atlas: [],
    figures: {},
  };
}

function planOf({ sampleDims, datatype, names }: MonitoredModel): SketchPlan | undefined {
  return sampleDims && planSketch({ sampleDims, datatype, names });
}

function rememberedBy(bytes: Uint8Array | undefined, about: MonitoredModel): ReadonlyMap<string, Uint8Array> {
  if (bytes === undefined) return new Map();
  try {
    const { plain, arrays } = stateFromBytes(KIND, bytes);
    const { model, digest } = plain as { readonly model?: unknown; readonly digest?: unknown };
    if (model !== about.model || digest !== (about.digest ?? '')) return new Map();
    return new Map(
      Object.entries(arrays).flatMap(([name, array]) => (array instanceof Uint8Array ? [[name, array]] : [])),
    );
  } catch (thrown) {
    if (thrown instanceof GlacisError) return new Map();
    throw thrown;
  }
}
