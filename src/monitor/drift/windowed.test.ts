import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Alarm } from '../alarm.ts';
import type { Monitor } from '../monitor.ts';
import type { Sighting } from '../sighting.ts';
import { calibratedSchema } from './calibrated.ts';
import { calmFeatures, calmTop, FEATURES, START, setting, traffic } from './calm.fixture.ts';
import { confidenceDrift } from './confidence-drift.ts';
import { calibrate } from './drift-kind.ts';
import { inputDrift } from './input-drift.ts';
import { predictionDrift } from './prediction-drift.ts';
import { DRIFT_MONITORS } from './registry.ts';

const quick = { rows: 200, seconds: 60, learn: 1000 };
const inputs = inputDrift.options.parse(quick);
const LATER = START + 3_600_000;
const feed = (monitor: Monitor, sightings: readonly Sighting[]): readonly Alarm[] => {
  const alarms: Alarm[] = [];
  for (let i = 0; i < sightings.length; i += 256) alarms.push(...monitor.see(sightings.slice(i, i + 256)));
  return alarms;
};
const calm = traffic({ calls: 2000 });

describe('input-drift', () => {
  it('learns from the first traffic, and is calm while nothing changes', () => {
    const monitor = inputDrift.make(inputs, setting());
    expect(monitor.state()).toMatchObject({
      phase: 'learning',
      because: '0 of 1000 rows of the reference have come',
    });
    expect(feed(monitor, traffic({ calls: 6000 }))).toEqual([]);
    const state = monitor.state();
    expect(state.phase).toBe('watching');
    expect(state.because).toMatch(/not calibrated/);
    expect(state.series.length).toBeGreaterThan(20);
    expect(state.parts.map(({ name }) => name).sort()).toEqual([...FEATURES].sort());
    const age = state.parts.find(({ name }) => name === 'age')!;
    expect(age.reference?.length).toBe(age.bins!.length + 1);
  });

  it('sees one feature that moved for everybody, and calls it drift', () => {
    const monitor = inputDrift.make(inputs, setting({ calm }));
    const alarms = feed(
      monitor,
      traffic({ calls: 1000, from: LATER, features: (rng) => calmFeatures(rng).with(1, rng.uniform() ** 2) }),
    );
    expect(alarms.length).toBe(1);
    expect(alarms[0]).toMatchObject({
      kind: 'drift',
      monitor: 'input-drift',
      title: 'inputs moved: share',
      principals: [],
      subject: 'input-drift of digits',
    });
    expect(alarms[0]!.why).toMatch(/spread over 12 callers/);
    expect(alarms[0]!.score).toBeGreaterThan(alarms[0]!.threshold);
    expect(monitor.state()).toMatchObject({ phase: 'alarmed' });
    expect(monitor.state().parts[0]!.name).toBe('share');
  });

  it('names the one client whose inputs moved, and calls it an attack', () => {
    const monitor = inputDrift.make(inputs, setting({ calm }));
    const attacked = traffic({
      calls: 2000,
      clients: 5,
      from: LATER,
      features: (rng, _, client) =>
        client === 'client 3' ? calmFeatures(rng).with(0, 4 + rng.normal()) : calmFeatures(rng),
    });
    const alarms = feed(monitor, attacked);
    expect(alarms[0]).toMatchObject({
      kind: 'attack',
      principals: ['client 3'],
      subject: 'input-drift by few callers of digits',
    });
    expect(alarms[0]!.why).toMatch(/without them the other \d+ rows of 4 callers are calm/);
    const decisions = new Map(attacked.map(({ id, principal }) => [id, principal]));
    expect(alarms[0]!.decisions.length).toBeGreaterThan(10);
    expect(alarms[0]!.decisions.every((id) => decisions.get(id) === 'client 3')).toBe(true);
  });

  it('calls it drift where one client changes slowly, names it, and says over how long', () => {
    const monitor = inputDrift.make(inputs, setting({ calm }));
    const hours = 12;
    const calls = 60 * hours;
    const drifting = traffic({
      calls,
      gap: 60_000,
      clients: 5,
      from: LATER,
      features: (rng, i, client) =>
        client === 'client 3' ? calmFeatures(rng).with(0, (6 * i) / calls + rng.normal()) : calmFeatures(rng),
    });
    const alarms = feed(monitor, drifting);
    expect(alarms.map(({ kind }) => kind)).toEqual(['drift']);
    expect(alarms[0]).toMatchObject({
      principals: ['client 3'],
      subject: 'input-drift of few callers of digits',
    });
    expect(alarms[0]!.why).toMatch(/the change took [\d.]+ hours: what this caller sends drifts/);
  });

  it('remembers over a restart how slowly a client changed', () => {
    const rows = traffic({
      calls: 720,
      gap: 60_000,
      clients: 5,
      from: LATER,
      features: (rng, i, client) =>
        client === 'client 3' ? calmFeatures(rng).with(0, i / 120 + rng.normal()) : calmFeatures(rng),
    });
    const first = inputDrift.make(inputs, setting({ calm }));
    const before = feed(first, rows.slice(0, 200));
    const again = inputDrift.make(inputs, setting({ calm, remembered: first.snapshot() }));
    expect([...before, ...feed(again, rows.slice(200))].map(({ kind }) => kind)).toEqual(['drift']);
  });

  it('leaves a burst of what is alike to the monitors of attacks', () => {
    const monitor = inputDrift.make(inputs, setting({ calm }));
    const burst = traffic({ calls: 120, gap: 200, from: LATER, features: (rng) => [4, rng.uniform(), 1, 7] });
    const others = traffic({ calls: 200, from: LATER + 24_000 });
    const alarms = feed(monitor, [...burst.map((each) => ({ ...each, principal: 'camera' })), ...others]);
    expect(alarms[0]).toMatchObject({ kind: 'drift', principals: [] });
    expect(alarms[0]!.why).toMatch(/in bursts or in runs of what is alike/);
  });

  it.each<[string, (values: readonly number[]) => readonly number[], RegExp]>([
    ['becomes NaN', (values) => values.with(0, Number.NaN), /^age is not a number any more$/],
    [
      'becomes infinite',
      (values) => values.with(1, Number.NEGATIVE_INFINITY),
      /^share is not a number any more$/,
    ],
    ['stops varying', (values) => values.with(0, 0.25), /^age stopped varying$/],
    ['begins to vary', (values) => values.with(3, values[0]!), /^fixed began to vary$/],
  ])('has an alarm of its own for a feature that %s', (_, change, title) => {
    const monitor = inputDrift.make(inputs, setting({ calm }));
    const alarms = feed(
      monitor,
      traffic({ calls: 400, from: LATER, features: (rng) => change(calmFeatures(rng)) }),
    );
    const fault = alarms.find(({ kind }) => kind === 'fault')!;
    expect(fault.title).toMatch(title);
    expect(fault.subject).toMatch(/^input-drift: /);
    expect(fault.why).toMatch(/12 callers/);
  });

  it('says an attack where only one client sends NaN', () => {
    const monitor = inputDrift.make(inputs, setting({ calm }));
    const alarms = feed(
      monitor,
      traffic({
        calls: 600,
        from: LATER,
        clients: 12,
        features: (rng) => calmFeatures(rng).with(0, Number.NaN),
        more: () => ({ principal: 'mallory' }),
      }),
    );
    expect(alarms[0]).toMatchObject({ kind: 'attack', principals: ['mallory'] });
  });

  it('does not say the same again for a day, and does afterwards', () => {
    const monitor = inputDrift.make(inputs, setting({ calm }));
    const moved = (from: number) =>
      traffic({ calls: 500, from, features: (rng) => calmFeatures(rng).with(0, 3 + rng.normal()) });
    expect(feed(monitor, moved(LATER)).length).toBe(1);
    expect(feed(monitor, moved(LATER + 3_600_000)).length).toBe(0);
    expect(feed(monitor, moved(LATER + 90_000_000)).length).toBe(1);
  });

  it('sees who attacks while everybody drifts', () => {
    const monitor = inputDrift.make(inputs, setting({ calm }));
    const drifted = (rng: Parameters<typeof calmFeatures>[0]) =>
      calmFeatures(rng).with(1, rng.uniform() ** 2);
    expect(
      feed(monitor, traffic({ calls: 1000, from: LATER, features: drifted })).map(({ kind }) => kind),
    ).toEqual(['drift']);
    const attacked = traffic({
      calls: 1000,
      clients: 5,
      from: LATER + 3_600_000,
      features: (rng, _, client) =>
        client === 'client 3' ? calmFeatures(rng).with(0, 9) : calmFeatures(rng),
    });
    expect(feed(monitor, attacked).map(({ kind }) => kind)).toContain('attack');
  });

  it('is blind where inputs are not sketched, and does not mind sketches of another width', () => {
    expect(inputDrift.make(inputs, setting({ features: [] })).state().phase).toBe('blind');
    const monitor = inputDrift.make(inputs, setting({ calm }));
    expect(feed(monitor, traffic({ calls: 1000, from: LATER, features: () => [1] }))).toEqual([]);
    expect(monitor.state().score).toBeUndefined();
  });

  it('goes on from its snapshot as if it had never stopped, in the middle of a window', () => {
    const all = traffic({
      calls: 4100,
      features: (rng, i) => calmFeatures(rng).with(0, rng.normal() + (i > 3700 ? 1 : 0)),
    });
    const whole = inputDrift.make(inputs, setting());
    const wholeAlarms = feed(whole, all);
    const first = inputDrift.make(inputs, setting());
    const alarms = [...feed(first, all.slice(0, 3790))];
    const second = inputDrift.make(inputs, setting({ remembered: first.snapshot() }));
    alarms.push(...feed(second, all.slice(3790)));
    expect(second.state().series).toEqual(whole.state().series);
    expect(alarms.map(({ title, score }) => [title, score])).toEqual(
      wholeAlarms.map(({ title, score }) => [title, score]),
    );
    expect(wholeAlarms.length).toBe(1);
  });

  it('begins anew from a snapshot that is damaged or of another monitor', () => {
    const bytes = inputDrift.make(inputs, setting({ calm })).snapshot();
    const other = confidenceDrift.make(confidenceDrift.options.parse(quick), setting({ calm })).snapshot();
    for (const remembered of [bytes.subarray(0, bytes.length - 3), new Uint8Array(0), other])
      expect(inputDrift.make(inputs, setting({ remembered })).state().phase).toBe('learning');
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const changed = bytes.slice();
        changed[at] = byte;
        expect(() =>
          feed(inputDrift.make(inputs, setting({ remembered: changed })), calm.slice(0, 300)),
        ).not.toThrow();
      }),
      { numRuns: 60 },
    );
  });
});

describe('prediction-drift', () => {
  const options = predictionDrift.options.parse(quick);

  it('sees other proportions of classes, and a class that was never seen', () => {
    for (const top of [2, 7]) {
      const monitor = predictionDrift.make(options, setting({ calm }));
      const alarms = feed(
        monitor,
        traffic({ calls: 900, from: LATER, top: (rng) => (rng.uniform() < 0.2 ? [top, 0.9] : calmTop(rng)) }),
      );
      expect(alarms[0]).toMatchObject({ kind: 'drift', title: 'answers come in other proportions' });
    }
  });

  it('counts answers alone, and all samples of a batch', () => {
    const monitor = predictionDrift.make(options, setting());
    const refused = traffic({ calls: 3000, more: () => ({ outcome: 'throttled' }) });
    feed(monitor, refused);
    expect(monitor.state().because).toMatch(/^0 of/);
    feed(
      monitor,
      traffic({ calls: 500, more: (rng) => ({ n: 4, top: [1, 2, 3, 4].map(() => calmTop(rng)) }) }),
    );
    expect(monitor.state().phase).toBe('watching');
  });

  it('is blind for a model that is no classifier', () => {
    expect(predictionDrift.make(options, setting({ classes: undefined })).state()).toMatchObject({
      phase: 'blind',
      because: 'the model is no classifier',
    });
  });
});

describe('confidence-drift', () => {
  it('sees that the model becomes unsure', () => {
    const monitor = confidenceDrift.make(confidenceDrift.options.parse(quick), setting({ calm }));
    const alarms = feed(
      monitor,
      traffic({ calls: 600, from: LATER, top: (rng) => [calmTop(rng)[0], 1 - 0.5 * rng.uniform()] }),
    );
    expect(alarms[0]).toMatchObject({ kind: 'drift', title: 'the model is less or more sure than it was' });
  });

  it('has an alarm for scores that are no numbers', () => {
    const monitor = confidenceDrift.make(confidenceDrift.options.parse(quick), setting({ calm }));
    expect(feed(monitor, traffic({ calls: 300, from: LATER, top: () => [0, Number.NaN] }))[0]).toMatchObject({
      kind: 'fault',
      title: 'confidence is not a number any more',
    });
  });
});

describe.each([predictionDrift, confidenceDrift])('$name', (kind) => {
  it('says nothing where one caller sends two hundred alike within a minute, and does where the like is sent for hours', () => {
    const calls = { gap: 5000, clients: 40 };
    const odd = () => [2, 0.55] as const;
    const open = () =>
      kind.make(kind.options.parse({}), setting({ calm: traffic({ calls: 4000, ...calls }) }));
    const burst = traffic({
      ...{ calls: 200, gap: 250, from: LATER + 500_000, top: odd },
      more: () => ({ principal: 'client 7' }),
    });
    const others = traffic({ calls: 700, from: LATER, ...calls });
    const mixed = [...burst, ...others].toSorted((a, b) => a.at - b.at);
    const monitor = open();
    expect(feed(monitor, mixed)).toEqual([]);
    expect(monitor.state().series.length).toBeGreaterThan(1);
    const lasting = traffic({
      ...{ calls: 700, from: LATER, ...calls },
      top: (rng) => (rng.uniform() < 0.3 ? odd() : calmTop(rng)),
    });
    expect(feed(open(), lasting).length).toBe(1);
  });
});

describe('calibrate', () => {
  const long = traffic({ calls: 40_000, gap: 2000, seed: 9 });
  const request = {
    budgetPerDay: 1 / 7,
    features: FEATURES,
    classes: 3,
    options: { rows: 200, seconds: 60 },
  };

  it('sets thresholds on calm traffic and counts false alarms on other calm traffic, with an interval', () => {
    const made = calibratedSchema.parse(calibrate(inputDrift, long, { ...request, trafficPerDay: 43_200 }));
    expect(made).toMatchObject({
      method: 'windows',
      monitor: 'input-drift',
      budgetPerDay: 1 / 7,
      trafficPerDay: 43_200,
    });
    expect(made.windowsPerDay).toBeCloseTo(216, 6);
    // By theory: −log₁₀(1/7 / 216)
    expect(made.threshold).toBeGreaterThanOrEqual(3.17);
    expect(made.measured.windows).toBeGreaterThan(45);
    expect(made.measured.alarms).toBeLessThanOrEqual(1);
    expect(made.measured.high).toBeGreaterThan(1 / 7);
    expect(made.warnings[0]).toMatch(/hours of a day/);
    expect(JSON.parse(JSON.stringify(made))).toEqual(made);
  });

  it('is what the monitor goes by, without any calm traffic beside', () => {
    const calibration = JSON.parse(JSON.stringify(calibrate(inputDrift, long, request))) as unknown;
    const monitor = inputDrift.make(inputs, setting({ calibration }));
    expect(monitor.state()).toMatchObject({
      phase: 'watching',
      falseAlarms: { budgetPerDay: 1 / 7, measuredPerDay: 0 },
    });
    expect(feed(monitor, traffic({ calls: 3000, from: LATER }))).toEqual([]);
    expect(
      feed(
        monitor,
        traffic({
          calls: 600,
          from: 2 * LATER,
          features: (rng) => calmFeatures(rng).with(0, 1 + rng.normal()),
        }),
      ).length,
    ).toBe(1);
    const other = inputDrift.make(inputs, setting({ calibration, features: ['a', 'b', 'c', 'd'] }));
    expect(other.state()).toMatchObject({ phase: 'learning' });
    expect(
      predictionDrift
        .make(predictionDrift.options.parse({}), setting({ calibration: { schema: 'x' } }))
        .state().phase,
    ).toBe('learning');
  });

  it('asks for more where rows depend on each other: bursts that repeat themselves', () => {
    // Each client sends the same inputs for 20 calls: 200 rows say as much as 10.
    const bursts = (calls: number, seed: number, from = START) =>
      traffic({
        calls,
        gap: 2000,
        seed,
        from,
        features: (rng, i) => [
          Math.sin(1e4 * Math.sin(Math.floor(i / 20) + seed)),
          rng.uniform(),
          rng.integer(3),
          7,
        ],
      });
    const calibration = calibratedSchema.parse(calibrate(inputDrift, bursts(40_000, 3), request));
    expect(calibration.threshold).toBeGreaterThan(6);
    const options = inputDrift.options.parse({ rows: 200, seconds: 60, perDay: 1 / 7 });
    const naive = inputDrift.make(options, setting({ calm: bursts(20_000, 3) }));
    expect(feed(naive, bursts(20_000, 3, LATER)).length).toBeGreaterThan(0);
    const measured = inputDrift.make(options, setting({ calibration }));
    expect(feed(measured, bursts(20_000, 3, LATER))).toEqual([]);
  });

  it('draws calls again where there are few, and gives up where there are hardly any', () => {
    const made = calibratedSchema.parse(calibrate(inputDrift, calm, request));
    expect(made.method).toBe('resampled');
    expect(made.warnings[0]).toMatch(/fewer than 25/);
    expect(calibrate(inputDrift, calm.slice(0, 60), request)).toBeUndefined();
    expect(calibrate(predictionDrift, calm, { ...request, classes: undefined })).toBeUndefined();
  });
});

describe('every kind', () => {
  it('takes hostile sightings without a word', () => {
    const number = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -0, 1e308));
    const any = fc.record({
      at: number,
      principal: fc.option(fc.string(), { nil: undefined }),
      n: fc.nat(100),
      values: fc.array(number, { minLength: 4, maxLength: 4 }),
      top: fc.array(fc.tuple(number, number), { maxLength: 3 }),
      divergence: fc.option(number, { nil: undefined }),
    });
    for (const kind of DRIFT_MONITORS)
      fc.assert(
        fc.property(fc.array(any, { maxLength: 200 }), (given) => {
          const options = kind.options.parse(
            kind.options.safeParse({ rows: 30, seconds: 0, learn: 100 }).success
              ? { rows: 30, seconds: 0, learn: 100 }
              : {},
          );
          const monitor = kind.make(options, setting());
          const sightings = given.map(
            ({ values, ...each }, i): Sighting => ({
              ...traffic({ calls: 1, from: START + i })[0]!,
              ...each,
              sketch: { values: Float32Array.from(values), rows: 1, width: 4, samples: [0] },
            }),
          );
          feed(monitor, [...traffic({ calls: 150 }), ...sightings]);
          monitor.learn?.(sightings.map(({ id, at }) => ({ decision: id, sample: 0, label: 1, at })));
          expect(monitor.state().parts.length).toBeLessThanOrEqual(64);
          kind.make(options, setting({ remembered: monitor.snapshot() }));
        }),
        { numRuns: 20 },
      );
  });
});
