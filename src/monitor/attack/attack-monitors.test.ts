import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { ATLAS } from '../../policy/taxonomy/taxonomies.ts';
import type { Alarm } from '../alarm.ts';
import type { Monitor, MonitorKind } from '../monitor.ts';
import { sighting } from '../sighting.fixture.ts';
import type { Sighting } from '../sighting.ts';
import { CELLS, callAbout, calmCalls, calmCells, changed, settingOf } from './calls.fixture.ts';
import { ATTACK_MONITORS } from './registry.ts';

const CALM = calmCalls(24, 150, 1);
const HELD = calmCalls(24, 150, 2);

// biome-ignore lint/suspicious/noExplicitAny: kinds of all options stand in one list.
type Kind = MonitorKind<any>;
const calibrations = new Map(
  ATTACK_MONITORS.map((kind) => [
    kind.name,
    JSON.parse(JSON.stringify(kind.calibrate!(kind.options.parse({}), settingOf({ calm: CALM })))) as unknown,
  ]),
);
const open = (kind: Kind, remembered?: Uint8Array): Monitor =>
  kind.make(kind.options.parse({}), settingOf({ calibration: calibrations.get(kind.name), remembered }));
const kindOf = (name: string): Kind => ATTACK_MONITORS.find((kind) => kind.name === name)!;

/** What a monitor says of calls; calm ones of others come between them. */
function said(name: string, calls: readonly Sighting[], every = 3): readonly Alarm[] {
  const monitor = open(kindOf(name));
  monitor.see(HELD.slice(0, 1000));
  return calls.flatMap((call, i) => [
    ...(i % every === 0
      ? monitor.see([{ ...HELD[1000 + (i % 2000)]!, id: `between ${i}`, at: call.at }])
      : []),
    ...monitor.see([call]),
  ]);
}

describe.each(ATTACK_MONITORS.map((kind) => [kind.name, kind] as const))('%s', (_, kind) => {
  test('says nothing of calm clients that it did not learn from', () => {
    const monitor = open(kind);
    expect(monitor.see(HELD)).toEqual([]);
    expect(monitor.state()).toMatchObject({ phase: 'watching', monitor: kind.name, model: 'digits' });
  });

  test('learns from the first traffic where nothing was measured', () => {
    const monitor = kind.make(kind.options.parse({}), settingOf());
    expect(monitor.state().phase).toBe('learning');
    monitor.see(CALM);
    monitor.see(HELD);
    expect(monitor.state().phase).toBe('watching');
    const again = kind.make(kind.options.parse({}), settingOf({ remembered: monitor.snapshot() }));
    expect(again.state().phase).toBe('watching');
  });

  test('a snapshot is taken up, and a damaged one or another monitor’s is none', () => {
    const monitor = open(kind);
    monitor.see(HELD.slice(0, 500));
    const bytes = monitor.snapshot();
    expect(open(kind, bytes).snapshot().length).toBeGreaterThan(0.5 * bytes.length);
    const rng = randomFrom(1, 'damage', kind.name);
    for (let i = 0; i < 20; i++) {
      const damaged = Uint8Array.from(bytes);
      for (let j = 0; j < 5; j++) damaged[rng.integer(Math.min(2000, damaged.length))] = rng.integer(256);
      const again = open(kind, i % 2 ? damaged : damaged.subarray(0, rng.integer(damaged.length)));
      again.see(HELD.slice(500, 520));
      again.state();
    }
  });

  test('a calibration that is none is not believed', () => {
    for (const calibration of [{}, 7, 'x', null, { ...(calibrations.get(kind.name) as object), more: 1 }]) {
      const monitor = kind.make(kind.options.parse({}), settingOf({ calibration }));
      expect(monitor.state().phase).toBe('learning');
    }
  });

  test('nothing that callers send makes it throw', () => {
    const monitor = open(kind);
    const number = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1, 1e300));
    fc.assert(
      fc.property(
        fc.record({
          principal: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
          address: fc.string(),
          at: fc.double({ min: 0, max: 4e12, noNaN: true }),
          n: fc.nat(1000),
          outcome: fc.constantFrom('answered', 'throttled', 'exhausted', '__proto__'),
          top: fc.option(fc.array(fc.tuple(number, number), { maxLength: 4 }), { nil: undefined }),
          guards: fc.array(
            fc.record({
              guard: fc.constantFrom('near-duplicates', 'x'),
              action: fc.constantFrom('pass', 'flag'),
              score: number,
            }),
            { maxLength: 2 },
          ),
          values: fc.array(number, { minLength: CELLS + 3, maxLength: CELLS + 3 }),
        }),
        ({ values, ...given }) => {
          monitor.see([
            sighting({
              ...given,
              sketch: { values: Float32Array.from(values), rows: 1, width: CELLS + 3, samples: [0] },
            }),
            sighting(given),
          ]);
        },
      ),
      { numRuns: 300 },
    );
    monitor.state();
    expect(monitor.snapshot().length).toBeGreaterThan(0);
  });

  test('memory is bounded, however many ask', () => {
    const rng = randomFrom(2, 'many', kind.name);
    const monitor = kind.make(
      kind.options.parse(kind.name === 'boundary-walk' ? { queries: 1024 } : { clients: 64 }),
      settingOf({ calibration: calibrations.get(kind.name) }),
    );
    const ask = (from: number, to: number) => {
      for (let i = from; i < to; i++)
        monitor.see([callAbout(calmCells(rng), { principal: `one of many ${i}` })]);
      return monitor.snapshot().length;
    };
    const after = ask(0, 300);
    expect(ask(300, 1500)).toBeLessThan(1.3 * after + 1000);
    expect(monitor.state().parts.length).toBeLessThanOrEqual(64);
  });
});

describe('attacks are found, and told', () => {
  const well = (alarms: readonly Alarm[], principals: readonly string[]) => {
    expect(alarms.length).toBeGreaterThan(0);
    for (const alarm of alarms) {
      expect(alarm).toMatchObject({ kind: 'attack', model: 'digits', version: '1', digest: 'sha256:1' });
      expect(alarm.why).toMatch(/not like drift|would not stop there|as a customer who grows|ask\./);
      expect(alarm.score).toBeGreaterThan(alarm.threshold);
      for (const id of alarm.atlas) expect(ATLAS.entries).toHaveProperty([id]);
      expect(alarm.principals.every((name) => principals.includes(name))).toBe(true);
      expect(alarm.decisions.length).toBeGreaterThan(0);
    }
  };
  const rng = randomFrom(5, 'attacks');
  const noise = () => Float32Array.from({ length: CELLS }, () => rng.uniform());
  const keys = Array.from({ length: 10 }, (_, i) => `evil ${i}`);

  test('extraction by queries of another kind, from one key and from ten', () => {
    const one = said(
      'extraction',
      Array.from({ length: 120 }, () => callAbout(noise(), { principal: 'eve' })),
    );
    well(one, ['eve']);
    const many = said(
      'extraction',
      Array.from({ length: 600 }, (_, i) => callAbout(noise(), { principal: keys[i % 10]! })),
    );
    well(many, keys);
    expect(new Set(many.flatMap(({ principals }) => principals)).size).toBe(10);
  });

  test('a drift that all have in common is nobody’s extraction', () => {
    const monitor = open(kindOf('extraction'));
    monitor.see(HELD);
    const drifting = calmCalls(24, 300, 2).map((call, i) => {
      const values = call.sketch!.values.map((v) => v + (0.3 * i) / (24 * 300));
      return {
        ...call,
        id: `drift ${i}`,
        at: HELD.at(-1)!.at + 60_000 * i,
        sketch: { ...call.sketch!, values },
      };
    });
    const alarms = monitor.see(drifting);
    expect(alarms).toEqual([]);
  });

  test('probing around one input', () => {
    const x = calmCells(rng);
    const alarms = said(
      'near-duplicates',
      Array.from({ length: 400 }, () => callAbout(changed(x, 0.01, rng), { principal: 'eve' })),
      1,
    );
    well(alarms, ['eve']);
  });

  test('the word of a guard counts', () => {
    const guards = [{ guard: 'near-duplicates', action: 'refuse', score: 1.5, because: 'near, size 12.0' }];
    well(said('near-duplicates', [sighting({ principal: 'eve', guards })]), ['eve']);
  });

  test('a search by halves for a class border, also when keys take turns', () => {
    for (const names of [['eve'], keys]) {
      const calls: Sighting[] = [];
      for (let search = 0; search < 12; search++) {
        let [low, high] = [calmCells(rng), calmCells(rng)];
        while (callAbout(low).top![0]![0] === callAbout(high).top![0]![0]) high = calmCells(rng);
        const label = callAbout(low).top![0]![0];
        for (let step = 0; step < 10; step++) {
          const middle = low.map((v, i) => (v + high[i]!) / 2);
          const call = callAbout(middle, { principal: names[calls.length % names.length]! });
          calls.push(call);
          if (call.top![0]![0] === label) low = middle;
          else high = middle;
        }
        // Back and forth over the border that was found.
        for (let step = 0; step < 20; step++)
          calls.push(callAbout(changed(high, 0.01, rng), { principal: names[calls.length % names.length]! }));
      }
      well(said('boundary-walk', calls, 5), names);
    }
  });

  test('keys that share out one walk', () => {
    const x = calmCells(rng);
    const alarms = said(
      'sybil',
      Array.from({ length: 300 }, (_, i) =>
        callAbout(changed(x, 0.01, rng), { principal: keys[i % 10]!, address: '6.6.6.6' }),
      ),
    );
    well(alarms, keys);
    expect(alarms.at(-1)!.principals).toHaveLength(10);
    expect(alarms.at(-1)!.why).toContain('one address');
  });

  test('keys that take turns in one order', () => {
    const alarms = said(
      'sybil',
      Array.from({ length: 600 }, (_, i) => callAbout(calmCells(rng), { principal: keys[i % 10]! })),
      7,
    );
    well(alarms, keys);
  });

  test('the same input asked for its latency', () => {
    const x = calmCells(rng);
    const alarms = said(
      'timing-probes',
      Array.from({ length: 200 }, (_, i) =>
        callAbout(x, { principal: 'eve', bucket: [1, 2, 5, 10][i % 4]! }),
      ),
    );
    well(alarms, ['eve']);
    expect(
      said(
        'timing-probes',
        Array.from({ length: 12 }, () => callAbout(x, { principal: 'ann' })),
      ),
    ).toEqual([]);
  });

  test('use that climbs day by day, and use that stays below a limit', () => {
    const start = 1_800_000_000_000;
    const calls = (samples: (day: number, hour: number) => number, days: number) =>
      Array.from({ length: days * 24 }, (_, i) =>
        sighting({ principal: 'eve', at: start + 3_600_000 * i, n: samples(Math.floor(i / 24), i % 24) }),
      );
    well(
      said(
        'budget-creep',
        calls((day) => 100 + 20 * day, 60),
        1e9,
      ),
      ['eve'],
    );
    const refused = { ...sighting({ principal: 'bob', at: start, n: 1000 }) };
    const limit = [refused, sighting({ principal: 'bob', at: start + 1, outcome: 'exhausted' })];
    const below = calls((_, hour) => 850 + 5 * (hour % 7), 12);
    well(said('budget-creep', [...limit, ...below], 1e9), ['eve']);
    expect(
      said(
        'budget-creep',
        calls((day, hour) => 100 + ((day * 37 + hour * 11) % 50), 60),
        1e9,
      ),
    ).toEqual([]);
  });
});
