import { z } from 'zod';
import { stateFromBytes, stateToBytes } from '../../detect/state-bytes.ts';
import type { Alarm } from '../alarm.ts';
import type { MonitorSetting } from '../monitor.ts';
import type { Sighting } from '../sighting.ts';
import { calibrateWindowed } from './calibrate-windowed.ts';
import type { DriftKind } from './drift-kind.ts';
import { feedTest } from './feed-test.ts';
import { sketchSubject } from './input-drift.ts';
import { callerOf } from './rows.ts';
import { openStandstill } from './standstill.ts';
import { shown } from './window-test.ts';
import { openWindowed } from './windowed.ts';
import { type WindowedOptions, windowedOptions } from './windowed-options.ts';
import type { WindowedSubject } from './windowed-subject.ts';

/** Options of {@link feed}. */
export interface FeedOptions extends WindowedOptions {
  readonly features: readonly string[];
}

const KIND = 'feed/1';
const SCHEMA = 'glacis.feed-calibration/1';

function subjectOf(setting: Pick<MonitorSetting, 'features'>, { features }: FeedOptions): WindowedSubject {
  const base = sketchSubject('feed', setting);
  const missing = features.filter((name) => !setting.features.includes(name));
  return {
    ...base,
    width:
      features.length === 0
        ? 'no feeds are named: name features that come from elsewhere (serve.monitors.feed.features)'
        : missing.length > 0
          ? `the inputs have no features ${missing.slice(0, 5).join(', ')}`
          : base.width,
    test: (calm) => feedTest(calm, setting.features, features),
    title: (what) => `a feed does not go with the others: ${what}`,
    advice: 'Its source, its clock and the way from there are where to look.',
  };
}

/** Values that come from elsewhere (prices, sensors, other systems): standing still, late, or replaced. */
export const feed: DriftKind<FeedOptions> = {
  name: 'feed',
  about: 'Named features that stand still, come late, or no longer go with the others.',
  options: windowedOptions({ most: 1000 }).extend({
    features: z
      .array(z.string().min(1).max(256))
      .max(64)
      .default([])
      .describe('Features that come from elsewhere.'),
  }),
  make(options, setting) {
    const subject = subjectOf(setting, options);
    const parts = partsOf(setting.remembered);
    const given = (setting.calibration ?? {}) as {
      readonly schema?: unknown;
      readonly windowed?: unknown;
      readonly still?: unknown;
    };
    const isCalibrated = given.schema === SCHEMA;
    const windowed = openWindowed(subject, options, {
      ...setting,
      calibration: isCalibrated ? given.windowed : setting.calibration,
      remembered: parts.windowed,
    });
    const places = options.features.map((name) => setting.features.indexOf(name));
    const still = openStandstill(options.features.length, isCalibrated ? given.still : parts.still);
    const isBlind = typeof subject.width === 'string';
    const standing = (sighting: Sighting, learning: boolean): readonly Alarm[] => {
      const { sketch } = sighting;
      if (
        isBlind ||
        sketch === undefined ||
        sketch.width !== setting.features.length ||
        !Number.isFinite(sighting.at)
      )
        return [];
      const found: Alarm[] = [];
      const caller = callerOf(sighting);
      // One row a call: rows of a batch are of one moment.
      for (const [i, place] of places.entries()) {
        const value = sketch.values[place]!;
        if (sketch.rows === 0 || !still.take(i, caller, value, sighting.at, learning)) continue;
        const name = options.features[i]!;
        const { milliseconds, rows } = still.longest(i);
        found.push({
          ...{ id: setting.freshId(), at: sighting.at, monitor: 'feed', kind: 'fault', severity: 'high' },
          ...{ model: setting.model, version: setting.version, digest: setting.digest },
          ...{
            principals: [],
            subject: `feed: ${name} of ${setting.model} stands still`,
            title: `${name} stands still`,
          },
          why: `${name} is ${shown(value)} and has not changed for five times as long as ever in calm traffic (${shown(milliseconds / 1000)} s, ${rows} rows). It is like a fault of the feed: values come, and do not move. Somebody who holds a feed back looks the same.`,
          ...{ score: 1, threshold: 0, first: sighting.at, last: sighting.at, queries: 1 },
          ...{
            decisions: [sighting.id],
            atlas: [],
            figures: { value, longestSeconds: milliseconds / 1000, longestRows: rows },
          },
        });
      }
      return found;
    };
    for (const sighting of setting.calm) standing(sighting, true);
    return {
      ...windowed,
      see(sightings) {
        const learning = windowed.state().phase === 'learning';
        const found = sightings.flatMap((sighting) => standing(sighting, learning));
        return [...found, ...windowed.see(sightings)];
      },
      snapshot: () =>
        stateToBytes({
          kind: KIND,
          plain: { still: still.keep() },
          arrays: { windowed: windowed.snapshot() },
        }),
    };
  },
  calibrate(options, setting, more) {
    const windowed = calibrateWindowed(subjectOf(setting, options), options, setting, more);
    if (windowed === undefined) return undefined;
    const still = openStandstill(options.features.length, undefined);
    for (const sighting of setting.calm)
      for (const [i, name] of options.features.entries()) {
        const { sketch, at } = sighting;
        const fits = sketch?.width === setting.features.length;
        const value = fits ? sketch.values[setting.features.indexOf(name)] : undefined;
        if (value !== undefined) still.take(i, callerOf(sighting), value, at, true);
      }
    return { schema: SCHEMA, windowed, still: still.keep() };
  },
};

function partsOf(bytes: Uint8Array | undefined): {
  readonly windowed?: Uint8Array;
  readonly still?: unknown;
} {
  if (bytes === undefined) return {};
  try {
    const { plain, arrays } = stateFromBytes(KIND, bytes);
    const { windowed } = arrays;
    return {
      ...(windowed instanceof Uint8Array && { windowed }),
      still: (plain as { readonly still?: unknown } | null)?.still,
    };
  } catch {
    return {};
  }
}
