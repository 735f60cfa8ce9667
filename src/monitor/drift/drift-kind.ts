import type { MonitorKind, MonitorSetting } from '../monitor.ts';
import type { Sighting, TrueLabel } from '../sighting.ts';
import type { CalibrationMore } from './calibrated.ts';

/** A kind of monitor that can be measured on calm traffic before it goes live. */
export interface DriftKind<Options> extends MonitorKind<Options> {
  /** See {@link MonitorKind.calibrate}; what is known beside calm sightings makes it better. */
  calibrate(options: Options, setting: MonitorSetting, more?: CalibrationMore): unknown;
}

/** What a calibration asks for by itself, without a server. */
export interface CalibrationRequest {
  /** False alarms a day, at most. */
  readonly budgetPerDay: number;
  /** Samples a day; as in calm traffic where nothing is said. */
  readonly trafficPerDay?: number | undefined;
  readonly features: readonly string[];
  readonly classes?: number | undefined;
  readonly labels?: readonly TrueLabel[] | undefined;
  readonly seed?: number | undefined;
  /** Other options than the defaults of the kind. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Sets the thresholds of a kind of monitor on calm sightings, the oldest first, and measures false alarms on calm sightings that no threshold was set on. What comes back is plain JSON for
 * {@link MonitorSetting.calibration}; undefined where there is too little. Errors: those of the kind's options, as zod has them.
 *
 * @example
 * const calibration = calibrate(inputDrift, calm, { budgetPerDay: 1 / 7, trafficPerDay: 200_000, features });
 */
export function calibrate<Options>(
  kind: DriftKind<Options>,
  calm: readonly Sighting[],
  { budgetPerDay, trafficPerDay, features, classes, labels, seed = 0, options = {} }: CalibrationRequest,
): unknown {
  const first = calm[0];
  return kind.calibrate(
    kind.options.parse({ ...options, perDay: budgetPerDay }),
    {
      ...{ model: first?.model ?? '', version: first?.version, digest: first?.digest },
      ...{ classes, features, calibration: undefined, calm, seed, freshId: () => '' },
    },
    { trafficPerDay, labels },
  );
}
