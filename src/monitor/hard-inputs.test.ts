import { describe, expect, it } from 'vitest';
import { calmCalls, FEATURES, settingOf } from './attack/calls.fixture.ts';
import { DRIFT_MONITORS } from './drift/registry.ts';
import { KINDS } from './hub/kinds.ts';
import type { Monitor, MonitorKind } from './monitor.ts';
import type { Sighting } from './sighting.ts';
import { feed, isSound } from './sound-state.fixture.ts';

const CALM = calmCalls(24, 150, 1);
const HELD = calmCalls(24, 50, 2);
const ALL = KINDS.map((kind) => [kind.name, kind] as const);

/** Calls whose first feature is this one for all. */
const with0 = (calls: readonly Sighting[], value: number): readonly Sighting[] =>
  calls.map((call) => ({
    ...call,
    sketch: { ...call.sketch!, values: call.sketch!.values.with(0, value) },
  }));

/** A monitor that knows these calm calls. */
// biome-ignore lint/suspicious/noExplicitAny: kinds of all options stand in one list.
function knowing(kind: MonitorKind<any>, calm: readonly Sighting[]): Monitor {
  const small = {
    rows: 200,
    seconds: 60,
    learn: 1000,
    ...(kind.name === 'feed' && { features: [FEATURES[0]] }),
  };
  const options: unknown = kind.options.parse(kind.options.safeParse(small).success ? small : {});
  return kind.make(options, settingOf({ calm }));
}

describe('a feature that is constant', () => {
  it.each(ALL)('is nothing to %s', (_, kind) => {
    const monitor = knowing(kind, with0(CALM, 0.25));
    expect(feed(monitor, with0(HELD, 0.25))).toEqual([]);
    expect(isSound(monitor.state())).toBe(true);
    expect(monitor.snapshot().length).toBeGreaterThan(0);
  });

  it.each(ALL)('does not throw %s off where all of them are', (_, kind) => {
    const still = (calls: readonly Sighting[]) =>
      calls.map((call) => ({
        ...call,
        sketch: { ...call.sketch!, values: new Float32Array(FEATURES.length).fill(0.5) },
      }));
    const monitor = knowing(kind, still(CALM));
    feed(monitor, still(HELD));
    expect(isSound(monitor.state())).toBe(true);
  });
});

describe('a feature that becomes NaN for everybody', () => {
  it.each(ALL)('is nobody’s attack to %s', (_, kind) => {
    const monitor = knowing(kind, CALM);
    const alarms = feed(monitor, with0(HELD, Number.NaN));
    expect(alarms.filter((alarm) => alarm.kind === 'attack')).toEqual([]);
    expect(isSound(monitor.state())).toBe(true);
  });

  it('is said by name, as a fault', () => {
    const monitor = knowing(DRIFT_MONITORS.find(({ name }) => name === 'input-drift')!, CALM);
    expect(feed(monitor, with0(HELD, Number.NaN))[0]).toMatchObject({
      kind: 'fault',
      title: `${FEATURES[0]} is not a number any more`,
    });
  });
});

describe('labels that never arrive', () => {
  it.each(DRIFT_MONITORS.map((kind) => [kind.name, kind] as const))(
    'raise no alarm of %s, and are not waited for without bound',
    (name, kind) => {
      const monitor = knowing(kind, CALM);
      expect(feed(monitor, HELD)).toEqual([]);
      const { phase, because } = monitor.state();
      const needsLabels = name === 'accuracy' || name === 'calibration' || name === 'estimated-performance';
      if (needsLabels) {
        expect(phase).toMatch(/^(blind|learning)$/);
        expect(because).toMatch(/label/);
      } else expect(phase).not.toBe('blind');
      const after = monitor.snapshot().length;
      feed(monitor, calmCalls(24, 400, 3));
      expect(monitor.snapshot().length).toBeLessThan(1.5 * after + 20_000);
    },
  );
});
