import type { z } from 'zod';
import { type State, stateFromBytes, stateToBytes } from '../../detect/state-bytes.ts';
import type { Alarm } from '../alarm.ts';
import type { Monitor, MonitorKind, MonitorSetting, MonitorState } from '../monitor.ts';
import type { Sighting } from '../sighting.ts';
import { whoOf } from './sketched-rows.ts';

/** What watches, once it knows what calm is. */
export interface AttackWatch {
  see(sightings: readonly Sighting[]): readonly Alarm[];
  state(): Omit<MonitorState, 'monitor' | 'model'>;
  keep(): Pick<State, 'plain' | 'arrays'>;
}

/** A monitor that first learns what calm traffic is: from a calibration, from calm sightings, or from the first traffic that it sees. */
export interface AttackKind<Options, Fit> {
  readonly name: string;
  readonly about: string;
  readonly options: z.ZodType<Options>;
  /** What is learnt, as JSON and read from it. */
  readonly kept: z.ZodType<Fit>;
  toJson(fit: Fit): unknown;
  /** Whether it learns from calls that were sketched alone, and how many calls it waits for. */
  readonly learns: { readonly sketched: boolean; readonly calls: number };
  /** Undefined where there is too little to learn from. */
  fit(calm: readonly Sighting[], options: Options, setting: MonitorSetting): Fit | undefined;
  open(
    fit: Fit,
    options: Options,
    setting: MonitorSetting,
    state?: Pick<State, 'plain' | 'arrays'>,
  ): AttackWatch;
}

/** Of live traffic no principal may be more than this share of what is learnt from, if there are several. */
const SHARE = 0.2;

/** Makes a kind of monitor of it. What is learnt from live traffic is kept in the snapshot; what is not learnt yet begins anew after a restart. */
export function defineAttackKind<Options, Fit>(kind: AttackKind<Options, Fit>): MonitorKind<Options> {
  const { name } = kind;
  return Object.freeze({
    name,
    about: kind.about,
    options: kind.options,
    calibrate(options: Options, setting: MonitorSetting): unknown {
      const fit = kind.fit(usable(kind, setting.calm), options, setting);
      return fit && kind.toJson(fit);
    },
    make(options: Options, setting: MonitorSetting): Monitor {
      const before = rememberedOf(name, setting.remembered);
      const read = (json: unknown) => {
        const { data } = json === undefined ? {} : kind.kept.safeParse(json);
        return data;
      };
      // A calibration is newer than a memory that was made without it.
      const given = read(setting.calibration);
      const kept = given === undefined ? read(before?.fit) : undefined;
      let fit =
        given ??
        kept ??
        (setting.calm.length > 0 ? kind.fit(usable(kind, setting.calm), options, setting) : undefined);
      const goesOn = before !== undefined && (kept !== undefined || same(before.fit, setting.calibration));
      let watch = fit && kind.open(fit, options, setting, goesOn ? before.state : undefined);
      let learning: Sighting[] = [];
      const begin = (): void => {
        fit = kind.fit(fairly(learning), options, setting);
        if (fit === undefined) {
          // More of the same may do; the oldest goes.
          learning = learning.slice(Math.ceil(learning.length / 2));
          return;
        }
        watch = kind.open(fit, options, setting);
        learning = [];
      };
      return {
        name,
        see(sightings) {
          if (watch !== undefined) return watch.see(sightings);
          // Not a call more than is waited for is learnt from: the next one may be an attack's.
          for (const [i, sighting] of sightings.entries()) {
            learning.push(...usable(kind, [sighting]));
            if (learning.length < kind.learns.calls) continue;
            begin();
            if (watch !== undefined) return (watch as AttackWatch).see(sightings.slice(i + 1));
          }
          return [];
        },
        state: () => ({
          monitor: name,
          model: setting.model,
          ...(watch?.state() ?? {
            phase: kind.learns.sketched && setting.features.length === 0 ? 'blind' : 'learning',
            because:
              kind.learns.sketched && setting.features.length === 0
                ? 'inputs of this model cannot be sketched'
                : `${learning.length} of ${kind.learns.calls} calls to learn from; a calibration (glacis monitor calibrate) would end this at once`,
            ...{ score: undefined, threshold: undefined, series: [], parts: [] },
          }),
        }),
        snapshot() {
          const state = watch?.keep() ?? { plain: null, arrays: {} };
          return stateToBytes({
            kind: name,
            plain: { fit: fit === undefined ? null : kind.toJson(fit), state: state.plain },
            arrays: state.arrays,
          });
        },
      };
    },
  });
}

function usable<Options, Fit>(
  { learns }: AttackKind<Options, Fit>,
  sightings: readonly Sighting[],
): readonly Sighting[] {
  return learns.sketched ? sightings.filter(({ sketch }) => sketch !== undefined) : sightings;
}

/** Without what single principals have too much of. */
function fairly(sightings: readonly Sighting[]): readonly Sighting[] {
  const counts = new Map<string, number>();
  for (const sighting of sightings) counts.set(whoOf(sighting), (counts.get(whoOf(sighting)) ?? 0) + 1);
  if (counts.size < 1 / SHARE) return sightings;
  const most = SHARE * sightings.length;
  const taken = new Map<string, number>();
  return sightings.filter((sighting) => {
    const before = taken.get(whoOf(sighting)) ?? 0;
    taken.set(whoOf(sighting), before + 1);
    return before < most;
  });
}

function same(a: unknown, b: unknown): boolean {
  return b !== undefined && JSON.stringify(a) === JSON.stringify(b);
}

function rememberedOf(
  name: string,
  bytes: Uint8Array | undefined,
): { readonly fit: unknown; readonly state: Pick<State, 'plain' | 'arrays'> | undefined } | undefined {
  if (bytes === undefined) return undefined;
  try {
    const { plain, arrays } = stateFromBytes(name, bytes);
    const { fit, state } = plain as { readonly fit?: unknown; readonly state?: unknown };
    if (fit === null || fit === undefined) return undefined;
    return { fit, state: state === null ? undefined : { plain: state, arrays } };
  } catch {
    return undefined;
  }
}
