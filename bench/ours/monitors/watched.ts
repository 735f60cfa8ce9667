import { KINDS } from '../../../src/monitor/hub/kinds.ts';
import { openModelWatch } from '../../../src/monitor/hub/model-watch.ts';
import type { MonitorKind, MonitorSetting } from '../../../src/monitor/monitor.ts';
import type { Sighting } from '../../../src/monitor/sighting.ts';
import { PLAN } from './traffic.ts';

/** The victim as its monitors know it. */
export const ABOUT = {
  ...{ model: 'digits', version: '1', digest: 'sha256:victim', classes: 10 },
  ...{ sampleDims: [1, 28, 28], datatype: 'FP32' },
} as const;

let ids = 0;
const freshId = () => (ids++).toString(16).padStart(32, '0');

/** Measures calm traffic as `glacis monitor calibrate` does: by monitor. */
export function calibrated(
  calm: readonly Sighting[],
  kinds: readonly MonitorKind<unknown>[] = KINDS,
): Readonly<Record<string, unknown>> {
  const setting: MonitorSetting = {
    ...{ model: ABOUT.model, version: ABOUT.version, digest: ABOUT.digest, classes: ABOUT.classes },
    ...{ features: PLAN.features, calibration: undefined, calm, seed: 1, freshId },
  };
  return Object.fromEntries(
    kinds.flatMap((kind) => {
      const found = kind.calibrate?.(kind.options.parse({}), setting);
      return found === undefined ? [] : [[kind.name, JSON.parse(JSON.stringify(found)) as unknown]];
    }),
  );
}

/** All monitors over the victim, as the thread of a gateway has them. */
export function watchWith(
  calibration: Readonly<Record<string, unknown>>,
  only: (kind: string) => boolean = () => true,
) {
  return openModelWatch({
    about: ABOUT,
    kinds: KINDS.filter(({ name }) => only(name)).map((kind) => ({ kind, options: undefined })),
    calibration,
    ...{ calm: [], remembered: undefined, seed: 1, freshId, now: Date.now },
  });
}
