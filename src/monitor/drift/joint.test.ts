import { describe, expect, it } from 'vitest';
import { type Rng, randomFrom } from '../../core/random.ts';
import type { Alarm } from '../alarm.ts';
import type { Monitor } from '../monitor.ts';
import type { Sighting } from '../sighting.ts';
import { calibratedSchema } from './calibrated.ts';
import { START, setting, traffic } from './calm.fixture.ts';
import { calibrate } from './drift-kind.ts';
import { feed } from './feed.ts';
import { inputDrift } from './input-drift.ts';
import { jointDrift, jointDriftOnline } from './joint-drift.ts';

const LATER = START + 3_600_000;
const NAMES = ['a', 'b', 'c', 'd', 'never'];
/** Four features that go together by `tie`; each by itself is standard normal. */
const tied = (tie: number) => (rng: Rng) => {
  const shared = rng.normal();
  const own = Math.sqrt(1 - tie * tie);
  return [...Array.from({ length: 4 }, () => tie * shared + own * rng.normal()), 3];
};
const run = (monitor: Monitor, sightings: readonly Sighting[]): readonly Alarm[] => {
  const alarms: Alarm[] = [];
  for (let i = 0; i < sightings.length; i += 256) alarms.push(...monitor.see(sightings.slice(i, i + 256)));
  return alarms;
};
const calm = traffic({ calls: 3000, features: tied(0.8) });
const known = setting({ features: NAMES, calm });
const quick = { rows: 300, seconds: 60 };

describe('joint-drift', () => {
  it('sees that features do not go together any more, where each by itself is as ever', () => {
    const apart = traffic({ calls: 2000, from: LATER, features: tied(0.2) });
    expect(run(inputDrift.make(inputDrift.options.parse(quick), known), apart)).toEqual([]);
    const monitor = jointDrift.make(jointDrift.options.parse(quick), known);
    const [alarm] = run(monitor, apart);
    expect(alarm).toMatchObject({ kind: 'drift', title: 'inputs moved as a whole' });
    expect(monitor.state().parts.map(({ name }) => name)).toEqual([
      'mean discrepancy',
      'density difference',
      'pairs of features',
    ]);
  });

  it('sees one pair among twelve features that goes together no more, and names it', () => {
    const names = Array.from({ length: 12 }, (_, i) => `f${i}`);
    const world = (together: boolean) => (rng: Rng) => {
      const values = names.map(() => rng.normal());
      if (together) values[7] = 0.7 * values[2]! + Math.sqrt(0.51) * values[7]!;
      return values;
    };
    const own = setting({ features: names, calm: traffic({ calls: 3000, features: world(true) }) });
    const monitor = jointDrift.make(jointDrift.options.parse(quick), own);
    expect(run(monitor, traffic({ calls: 4000, from: LATER, features: world(true) }))).toEqual([]);
    const apart = traffic({ calls: 1200, from: 2 * LATER - START, features: world(false) });
    const [alarm] = run(monitor, apart);
    expect(alarm).toMatchObject({ kind: 'drift' });
    expect(alarm!.why).toMatch(/f2 and f7 go together otherwise: their rank correlation is -?[\d.]+ %/);
  });

  it('is calm in calm traffic, with NaN and infinities in it as ever', () => {
    const broken = (rng: Rng) =>
      tied(0.8)(rng).map((value) =>
        rng.uniform() < 0.02 ? Number.NaN : rng.uniform() < 0.02 ? 1e39 : value,
      );
    const monitor = jointDrift.make(
      jointDrift.options.parse(quick),
      setting({ features: NAMES, calm: traffic({ calls: 3000, features: broken }) }),
    );
    expect(run(monitor, traffic({ calls: 6000, from: LATER, features: broken }))).toEqual([]);
    expect(monitor.state().score).toBeDefined();
  });

  it('names the few who send what nobody else sends', () => {
    const monitor = jointDrift.make(jointDrift.options.parse(quick), known);
    const [alarm] = run(
      monitor,
      traffic({
        calls: 1500,
        clients: 5,
        from: LATER,
        features: (rng, _, client) =>
          client === 'client 1' ? tied(0.8)(rng).map((value) => -value * 2.5 + 1) : tied(0.8)(rng),
      }),
    );
    expect(alarm).toMatchObject({ kind: 'attack', principals: ['client 1'] });
  });
});

describe('joint-drift-online', () => {
  const options = jointDriftOnline.options.parse({});

  it('sees a sudden change within a hundred rows', () => {
    const monitor = jointDriftOnline.make(options, known);
    expect(run(monitor, traffic({ calls: 3000, from: LATER, features: tied(0.8) }))).toEqual([]);
    const [alarm] = run(
      monitor,
      traffic({
        calls: 500,
        from: 2 * LATER - START,
        features: (rng) => tied(0.8)(rng).map((value) => value + 1.5),
      }),
    );
    expect(alarm).toMatchObject({ kind: 'drift', title: 'inputs moved as a whole, just now' });
    expect(alarm!.at).toBeLessThan(2 * LATER - START + 100_000);
  });

  it('looks at one row a second at most', () => {
    const monitor = jointDriftOnline.make(options, known);
    run(monitor, traffic({ calls: 2000, gap: 1, from: LATER, features: tied(0) }));
    expect(monitor.state().score).toBeUndefined();
  });

  it('is calibrated by looking at calm rows as it will in service', () => {
    const long = traffic({ calls: 12_000, features: tied(0.8), seed: 4 });
    const made = calibratedSchema.parse(
      calibrate(jointDriftOnline, long, { budgetPerDay: 1, trafficPerDay: 86_400, features: NAMES }),
    );
    // Blocks of 512 rows, of those that keep to the pace; a look after every sixteenth.
    expect(made).toMatchObject({ looks: 32, rows: 128, method: 'resampled' });
    expect(made.windowsPerDay).toBeGreaterThan(86_400 / 512 / 2);
    expect(made.windowsPerDay).toBeLessThan(86_400 / 512);
    expect(made.measured.windows).toBeGreaterThan(2);
    expect(made.measured.alarms).toBeLessThanOrEqual(1);
    const monitor = jointDriftOnline.make(options, setting({ features: NAMES, calibration: made }));
    expect(run(monitor, traffic({ calls: 5000, from: LATER, features: tied(0.8), seed: 5 }))).toEqual([]);
    expect(
      run(
        monitor,
        traffic({
          calls: 500,
          from: 2 * LATER - START,
          features: (rng) => tied(0.8)(rng).map((value) => value + 2),
        }),
      ).length,
    ).toBe(1);
  });
});

describe('feed', () => {
  /** A price that walks, seen by two features with noise, and one that has nothing to do with it. */
  const market = (
    calls: number,
    from: number,
    seed: number,
    change: (price: readonly number[], i: number) => number = (price, i) => price[i]!,
  ) => {
    const walk = randomFrom(seed, 'walk');
    const price: number[] = [];
    for (let i = 0; i < calls; i++) price.push(0.95 * (price[i - 1] ?? 0) + walk.normal());
    return traffic({
      calls,
      from,
      seed,
      features: (rng, i) => [
        change(price, i),
        price[i]! + 0.3 * rng.normal(),
        -price[i]! + 0.3 * rng.normal(),
        rng.uniform(),
      ],
    });
  };
  const names = ['price', 'bid', 'ask', 'noise'];
  const options = feed.options.parse({ ...quick, features: ['price', 'noise'] });
  const made = () => feed.make(options, setting({ features: names, calm: market(3000, START, 1) }));

  it('is blind where no feed is named, or one that is not there', () => {
    expect(feed.make(feed.options.parse({}), known).state()).toMatchObject({
      phase: 'blind',
      because: expect.stringMatching(/no feeds are named/),
    });
    expect(feed.make(feed.options.parse({ features: ['x'] }), known).state()).toMatchObject({
      phase: 'blind',
      because: expect.stringMatching(/no features x/),
    });
  });

  it('is calm while the price walks', () => {
    expect(run(made(), market(3000, LATER, 2))).toEqual([]);
  });

  it('sees a price that stands still, at once', () => {
    const alarms = run(
      made(),
      market(300, LATER, 3, () => 0.5),
    );
    expect(alarms[0]).toMatchObject({
      kind: 'fault',
      title: 'price stands still',
      subject: 'feed: price of digits stands still',
    });
    expect(alarms[0]!.at - LATER).toBeLessThan(60_000);
    expect(alarms.filter(({ title }) => title === 'price stands still').length).toBe(1);
  });

  it('sees a price that is late, and by how much', () => {
    const alarms = run(
      made(),
      market(900, LATER, 4, (price, i) => price[Math.max(0, i - 12)]!),
    );
    expect(alarms[0]!.title).toBe('a feed does not go with the others: price beside the other features');
    expect(alarms[0]!.why).toMatch(/as it should have been 12 rows earlier/);
  });

  it('sees a price of another source with the same values', () => {
    const other = randomFrom(9, 'other');
    const alarms = run(
      made(),
      market(900, LATER, 5, () => 3 * other.normal()),
    );
    expect(alarms[0]!.why).toMatch(/late, or of another source/);
  });

  it('knows from its calibration how long values rest', () => {
    const rests = (
      calls: number,
      from: number,
      seed: number,
      change: (price: readonly number[], i: number) => number = (price, i) => price[i - (i % 30)]!,
    ) => market(calls, from, seed, change);
    const calibration = JSON.parse(
      JSON.stringify(
        calibrate(feed, rests(9000, START, 6), {
          budgetPerDay: 0.1,
          features: names,
          options: { ...quick, features: ['price'] },
        }),
      ),
    ) as unknown;
    const one = feed.options.parse({ ...quick, features: ['price'] });
    const fresh = () => feed.make(one, setting({ features: names, calibration }));
    expect(run(fresh(), rests(2000, LATER, 7)).filter(({ kind }) => kind === 'fault')).toEqual([]);
    const stands = run(
      fresh(),
      rests(400, LATER, 8, () => 0.5),
    );
    expect(stands.some(({ title }) => title === 'price stands still')).toBe(true);
  });
});
