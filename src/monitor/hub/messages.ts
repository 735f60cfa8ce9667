import type { Alarm } from '../alarm.ts';
import type { MonitorState } from '../monitor.ts';
import type { TrueLabel } from '../sighting.ts';
import type { DrawnSample } from './model-watch.ts';
import type { MonitoredModel } from './monitored-model.ts';
import type { PackedSightings } from './packed-sightings.ts';

/** What the thread of the monitors is started with. */
export interface HubWorkerData {
  readonly glacis: 'monitors';
  readonly folder: string | undefined;
  readonly choice: HubChoice;
  readonly models: readonly MonitoredModel[];
  readonly seed: number;
  /** A module whose `KINDS` take the place of the registries. */
  readonly kindsFrom: string | undefined;
}

/** Which kinds watch which model, and how. Plain data. */
export interface HubChoice {
  /** Options by kind, or `off`; `only` by model. */
  readonly kinds: Readonly<Record<string, unknown>>;
  readonly only: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** By model and monitor: what `glacis monitor calibrate` measured. */
  readonly calibration: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** To the thread. */
export type HubRequest =
  | { readonly kind: 'sightings'; readonly packed: PackedSightings }
  | { readonly kind: 'labels'; readonly labels: readonly TrueLabel[] }
  | { readonly kind: 'model'; readonly about: MonitoredModel }
  | { readonly kind: 'choice'; readonly choice: HubChoice }
  | { readonly kind: 'states' | 'samples'; readonly id: number; readonly model: string | undefined }
  | { readonly kind: 'save' | 'close'; readonly id: number };

/** From the thread. */
export type HubReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'alarms'; readonly alarms: readonly Alarm[] }
  | {
      readonly kind: 'seen';
      readonly numbers: Float64Array;
      readonly floats: Float32Array;
      /** Principals that all samples are wanted of. */
      readonly suspects: readonly string[] | undefined;
    }
  | {
      readonly kind: 'answer';
      readonly id: number;
      readonly value: readonly MonitorState[] | readonly DrawnSample[] | undefined;
    };
