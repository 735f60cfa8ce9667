import { throwIfCancelled } from '../../core/cancel.ts';
import { GlacisError } from '../../core/error.ts';
import { MONITOR_CALIBRATION, type MonitorCalibration } from '../calibration-file.ts';
import { chosenKinds } from '../hub/chosen-kinds.ts';
import { KINDS } from '../hub/kinds.ts';
import type { Sighting, TrueLabel } from '../sighting.ts';
import { planSketch } from '../sketch/sketch-plan.ts';
import type { PastSetting } from './analyse-past.ts';
import { describedBy } from './analysis.ts';
import { blocksOf, type Past } from './open-past.ts';

/** Calm calls of a model that are learnt from at most: the last ones. */
const MOST = 200_000;
const MOST_MODELS = 16;

/**
 * Measures calm traffic for every monitor that can be measured, with true labels those that need them, too: what `serve.monitors.measured` names. Nothing in it may be an attack: give it a time that somebody looked at. Errors: `data/mismatch` where there is too little for any
 * monitor; those of the source, `run/cancelled`.
 */
export async function calibratePast(
  past: Past,
  { choice, model: only, sampleDims: given, seed = 0, labels, signal, progress }: PastSetting,
): Promise<MonitorCalibration> {
  const calm = new Map<string, { sightings: Sighting[]; features: readonly string[] | undefined }>();
  let [calls, first, last] = [0, Number.POSITIVE_INFINITY, 0];
  const told: TrueLabel[] = [];
  for await (const block of blocksOf(labels?.tellIn(past) ?? past, signal)) {
    const { sightings, features } = block;
    throwIfCancelled(signal, 'past decisions');
    for (const { labels: each } of block.labels ?? []) told.push(...each);
    for (const sighting of sightings) {
      if (only !== undefined && sighting.model !== only) continue;
      let own = calm.get(sighting.model);
      if (own === undefined) {
        if (calm.size >= MOST_MODELS) continue;
        own = { sightings: [], features };
        calm.set(sighting.model, own);
      }
      own.sightings.push(sighting);
      if (own.sightings.length >= 2 * MOST) own.sightings = own.sightings.slice(-MOST);
      calls++;
      first = Math.min(first, sighting.at);
      last = Math.max(last, sighting.at);
    }
    progress?.({ label: 'calm decisions', done: calls });
  }
  const models: Record<string, Record<string, unknown>> = {};
  for (const [model, { sightings, features }] of calm) {
    const learnt = sightings.slice(-MOST).sort((a, b) => a.at - b.at);
    const described = describedBy(learnt.at(-1)!, learnt, features);
    const { classes, names, version, digest, sampleDims = given } = described;
    let next = 0;
    const found: Record<string, unknown> = {};
    for (const { kind, options } of chosenKinds(KINDS, choice, model)) {
      throwIfCancelled(signal, 'past decisions');
      progress?.({ label: `${model}: ${kind.name}`, done: Object.keys(found).length });
      const measured: unknown = kind.calibrate?.(
        kind.options.parse(options ?? {}),
        {
          ...{ model, version, digest, classes, seed, calm: learnt },
          features: sampleDims ? planSketch({ sampleDims, names }).features : [],
          ...{ calibration: undefined, freshId: () => String(next++) },
        },
        { labels: told },
      );
      if (measured !== undefined) found[kind.name] = measured;
    }
    if (Object.keys(found).length > 0) models[model] = found;
  }
  if (Object.keys(models).length === 0)
    throw new GlacisError(
      'data/mismatch',
      `calm decisions: expected enough for at least one monitor, got ${calls} decisions`,
    );
  return { schema: MONITOR_CALIBRATION, calm: { calls, first, last }, models };
}
