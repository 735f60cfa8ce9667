import { describe, expect, it } from 'vitest';
import { randomFrom } from '../core/random.ts';
import { calmCalls, settingOf } from './attack/calls.fixture.ts';
import { ATTACK_MONITORS } from './attack/registry.ts';
import { DRIFT_MONITORS } from './drift/registry.ts';
import type { Sighting } from './sighting.ts';
import { feed, isSound } from './sound-state.fixture.ts';

const CALM = calmCalls(24, 150, 1);
const HELD = calmCalls(24, 100, 2);

/** The same calls as a log, a second gateway or an upstream may hand them over: neighbours exchanged, one in ten up to 300 calls late, one in ten a second time, under the same id. */
function untimely(calls: readonly Sighting[]): readonly Sighting[] {
  const rng = randomFrom(5, 'untimely');
  return calls
    .flatMap((call, i) => {
      const late = rng.uniform() < 0.1 ? 300 * rng.uniform() : 0;
      const first = [i + late + 1.5 * rng.uniform(), call] as const;
      return rng.uniform() < 0.1 ? [first, [i + 50 * rng.uniform(), call] as const] : [first];
    })
    .toSorted(([a], [b]) => a - b)
    .map(([, call]) => call);
}

describe('decisions that come late, twice or out of order', () => {
  it.each(ATTACK_MONITORS.map((kind) => [kind.name, kind] as const))('are no attack for %s', (_, kind) => {
    const options = kind.options.parse({});
    const calibration: unknown = kind.calibrate!(options, settingOf({ calm: CALM }));
    const monitor = kind.make(options, settingOf({ calibration }));
    expect(feed(monitor, untimely(HELD))).toEqual([]);
    // A whole batch once more, as after a crash.
    expect(feed(monitor, HELD.slice(-512))).toEqual([]);
    expect(isSound(monitor.state())).toBe(true);
  });

  it.each(DRIFT_MONITORS.map((kind) => [kind.name, kind] as const))(
    'are no attack for %s either',
    (_, kind) => {
      const small = { rows: 200, seconds: 60, learn: 1000 };
      const options = kind.options.parse(kind.options.safeParse(small).success ? small : {});
      const monitor = kind.make(options, settingOf({ calm: CALM }));
      const alarms = feed(monitor, untimely(HELD));
      expect(alarms.filter((alarm) => alarm.kind === 'attack')).toEqual([]);
      expect(isSound(monitor.state())).toBe(true);
    },
  );
});
