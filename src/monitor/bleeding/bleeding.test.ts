import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import type { Alarm } from '../alarm.ts';
import { calmTop, START, setting, traffic } from '../drift/calm.fixture.ts';
import { calibrate } from '../drift/drift-kind.ts';
import type { Monitor } from '../monitor.ts';
import type { Sighting, TrueLabel } from '../sighting.ts';
import { addTo, emptyBaseline, usualOf } from './baseline.ts';
import { detectionDelays } from './detection-delay.ts';
import { sequentialSchema } from './sequential-calibration.ts';
import { slowBleeding } from './slow-bleeding.ts';

const options = slowBleeding.options.parse({ learn: 1000 });
const feed = (monitor: Monitor, sightings: readonly Sighting[]): readonly Alarm[] => {
  const alarms: Alarm[] = [];
  for (let i = 0; i < sightings.length; i += 256) alarms.push(...monitor.see(sightings.slice(i, i + 256)));
  return alarms;
};
/** Calls of which the verifying model disagrees with the share `loss` (of `client` alone, where one is named). */
const verified = (calls: number, loss: number, from = START, client?: string, seed = 1) =>
  traffic({
    ...{ calls, from, seed },
    more: (rng, _, who) => ({
      divergence:
        rng.uniform() < (client === undefined || who === client ? loss : 0.02) ? 1 : 0.01 * rng.uniform(),
    }),
  });
const LATER = START + 10_000_000;

describe('usualOf', () => {
  const learnt = (days: number, mean: (hour: number) => number) => {
    const rng = randomFrom(1, 'baseline');
    const baseline = emptyBaseline();
    for (let minute = 0; minute < days * 1440; minute++)
      addTo(
        baseline,
        rng.uniform() < mean(Math.floor(minute / 60) % 24) ? 1 : 0,
        minute * 60_000,
        `client ${minute % 12}`,
        rng.uniform(),
      );
    return baseline;
  };

  it('is above the true mean, by little, and by the tolerance more', () => {
    const baseline = learnt(1, () => 0.05);
    const { most, mean } = usualOf(baseline, 0);
    expect(most).toBeGreaterThan(mean);
    expect(most).toBeLessThan(mean + 0.02);
    expect(usualOf(baseline, 0.01).most).toBeCloseTo(most + 0.01, 12);
    expect(usualOf(emptyBaseline(), 0).most).toBe(1);
  });

  it('is that of the hour where hours differ, and only if two days were seen', () => {
    const cycle = (hour: number) => (hour < 12 ? 0.02 : 0.2);
    expect(usualOf(learnt(1, cycle), 0).byHour).toBeUndefined();
    const { byHour } = usualOf(learnt(3, cycle), 0);
    expect(byHour![3]).toBeLessThan(0.1);
    expect(byHour![15]).toBeGreaterThan(0.2);
    expect(
      usualOf(
        learnt(3, () => 0.05),
        0,
      ).byHour,
    ).toBeUndefined();
  });
});

describe('numbers that have much in common', () => {
  const learnt = (callers: number, apart: number) => {
    const rng = randomFrom(6, 'alike', callers);
    const baseline = emptyBaseline();
    const levels = Array.from({ length: callers }, () => 0.5 + apart * (rng.uniform() - 0.5));
    for (let i = 0; i < 6000; i++) {
      const caller = rng.integer(callers);
      const x = rng.uniform() < levels[caller]! ? 1 : 0;
      addTo(baseline, x, 10_000 * i, `client ${caller}`, rng.uniform());
    }
    return usualOf(baseline, 0);
  };

  it('count for as few as say as much: where callers differ, the usual reaches further', () => {
    const [even, apart] = [learnt(40, 0), learnt(40, 0.6)];
    expect(even.most - even.mean).toBeLessThan(0.025);
    expect(even.why).toBe('6000 calm samples');
    expect(apart.most - apart.mean).toBeGreaterThan(0.06);
    expect(apart.why).toMatch(/^6000 calm samples, which say as much as \d{3} independent ones/);
  });

  it('of few callers count each by themselves: nobody knows how callers differ', () => {
    const { most, mean } = learnt(4, 0.6);
    expect(most - mean).toBeLessThan(0.025);
  });
});

describe('detectionDelays', () => {
  it('says how long losses go on: smaller ones longer, those within the usual for ever', () => {
    const rng = randomFrom(2, 'delays');
    const calm = Array.from({ length: 1000 }, () => (rng.uniform() < 0.03 ? 1 : 0));
    const delays = detectionDelays({
      calm,
      usual: 0.04,
      runLength: 1e6,
      rng,
      losses: [0.005, 0.02, 0.05, 0.2],
      runs: 9,
    });
    expect(delays[0]).toEqual({ loss: 0.005, median: null, most: null });
    const found = delays.slice(1).map(({ median }) => median!);
    expect([...found].sort((a, b) => b - a)).toEqual(found);
    expect(found[0]).toBeLessThan(20_000);
    expect(found[2]).toBeLessThan(150);
    expect(detectionDelays({ calm: [], usual: 0.1, runLength: 10, rng })).toEqual([]);
  });
});

describe('slow-bleeding', () => {
  it('finds that the verifying model disagrees in 6 % of calls instead of 2 %, and says when it began', () => {
    const monitor = slowBleeding.make(options, setting());
    expect(monitor.state()).toMatchObject({ phase: 'learning' });
    expect(feed(monitor, verified(6000, 0.02))).toEqual([]);
    expect(monitor.state().phase).toBe('watching');
    const alarms = feed(monitor, verified(6000, 0.06, LATER));
    expect(alarms[0]).toMatchObject({
      kind: 'drift',
      monitor: 'slow-bleeding',
      title: 'The verifying model disagrees more than it did',
      subject: 'slow-bleeding: divergence of digits',
    });
    expect(alarms[0]!.first).toBeGreaterThan(START + 5_700_000);
    expect(Math.abs((alarms[0]!.figures.mean as number) - 0.065)).toBeLessThan(0.03);
    expect(alarms[0]!.why).toMatch(/Drift-like/);
    expect(monitor.state().phase).toBe('alarmed');
    const diverging = new Set(
      [...verified(6000, 0.02), ...verified(6000, 0.06, LATER)]
        .filter(({ divergence }) => divergence === 1)
        .map(({ id }) => id),
    );
    expect(diverging.has(alarms[0]!.decisions[0]!)).toBe(true);
  });

  it('names the one caller who loses', () => {
    const monitor = slowBleeding.make(options, setting());
    feed(monitor, verified(14_000, 0.02));
    const alarms = feed(monitor, verified(4000, 0.4, START + 1e8, 'client 4'));
    expect(alarms.length).toBeGreaterThan(0);
    expect(alarms.every(({ kind }) => kind === 'attack')).toBe(true);
    expect(alarms[0]!.principals).toContain('client 4');
    // As much evidence as an alarm about all: 86,400 numbers a day, and a sixth of 0.015 alarms.
    expect(alarms[0]!.threshold).toBeGreaterThan(7);
  });

  describe('of a tenant', () => {
    /** Clients 0 to 3 are of one tenant, or all are. */
    const ofTenants = (sightings: readonly Sighting[], isAll = false) =>
      sightings.map((each) => ({
        ...each,
        tenant: isAll || /^client [0-3]$/.test(each.principal!) ? 'acme' : each.principal,
      }));

    it('names those alone whose own calls show it', () => {
      const monitor = slowBleeding.make(options, setting());
      feed(monitor, ofTenants(verified(14_000, 0.02)));
      const alarms = feed(monitor, ofTenants(verified(4000, 0.4, START + 1e8, 'client 3')));
      const own = alarms.filter(({ subject }) => subject.includes('one caller'));
      expect(own.length).toBeGreaterThan(0);
      for (const { principals, kind, figures } of own)
        expect({ principals, kind, group: figures.group }).toEqual({
          ...{ principals: ['client 3'], kind: 'attack' },
          group: ['acme'],
        });
    });

    it('who is most of the traffic are said as of all', () => {
      const monitor = slowBleeding.make(options, setting());
      feed(monitor, ofTenants(verified(6000, 0.02), true));
      const alarms = feed(monitor, ofTenants(verified(6000, 0.06, LATER), true));
      expect(alarms.map(({ subject, principals }) => [subject, principals])).toEqual([
        ['slow-bleeding: divergence of digits', []],
      ]);
    });
  });

  it('sees scores creep where no labels and no verifying model are', () => {
    const crept = (calls: number, by: number, from: number) =>
      traffic({ calls, from, seed: 3, top: (rng) => [calmTop(rng)[0], calmTop(rng)[1] - by] });
    const monitor = slowBleeding.make(options, setting());
    expect(feed(monitor, crept(10_000, 0, START))).toEqual([]);
    const alarms = feed(monitor, crept(10_000, 0.05, START + 1e8));
    expect(alarms[0]).toMatchObject({ title: 'Scores crept downwards', kind: 'drift' });
    expect(alarms[0]!.why).toMatch(
      /a typical score of the last \d+ answers is 0\.\d+, usually 0\.\d+; they are less sure than \d+ of 100 calm answers, where (49|50|51) are usual/,
    );
  });

  it('sees more wrong answers when labels come late', () => {
    const monitor = slowBleeding.make(slowBleeding.options.parse({ learn: 500 }), setting());
    const rng = randomFrom(4, 'truth');
    const told = (sightings: readonly Sighting[], wrong: number): readonly TrueLabel[] =>
      sightings.map(({ id, at, top }) => ({
        decision: id,
        sample: 0,
        label: rng.uniform() < wrong ? 9 : top![0]![0],
        at: at + 3_600_000,
      }));
    const [before, after] = [traffic({ calls: 5000 }), traffic({ calls: 3000, from: LATER })];
    feed(monitor, before);
    expect(monitor.learn!(told(before, 0.05))).toEqual([]);
    feed(monitor, after);
    expect(monitor.learn!(told(after, 0.15))[0]).toMatchObject({
      title: 'More answers are wrong than there were',
    });
  });

  it('gives no alarm in five calm runs of 8,000 calls', () => {
    for (let seed = 0; seed < 5; seed++) {
      const monitor = slowBleeding.make(
        slowBleeding.options.parse({ learn: 1000, perDay: 0.1 }),
        setting({ seed }),
      );
      expect(feed(monitor, verified(8000, 0.02, START, undefined, 100 + seed))).toEqual([]);
    }
  });

  it('goes on from its snapshot, and begins anew from none that fits', () => {
    const whole = slowBleeding.make(options, setting());
    const first = slowBleeding.make(options, setting());
    const calls = [...verified(5000, 0.02), ...verified(4000, 0.08, LATER)];
    const expected = feed(whole, calls);
    const alarms = [...feed(first, calls.slice(0, 5040))];
    const second = slowBleeding.make(options, setting({ remembered: first.snapshot() }));
    alarms.push(...feed(second, calls.slice(5040)));
    expect(alarms.map(({ title, score, at }) => [title, score, at])).toEqual(
      expected.map(({ title, score, at }) => [title, score, at]),
    );
    expect(slowBleeding.make(options, setting({ remembered: Uint8Array.of(1, 2, 3) })).state().phase).toBe(
      'learning',
    );
  });

  it('is calibrated on calm traffic: false alarms counted, and what slow means at this traffic', () => {
    const calm = verified(12_000, 0.02);
    const made = sequentialSchema.parse(
      JSON.parse(
        JSON.stringify(
          calibrate(slowBleeding, calm, {
            budgetPerDay: 1 / 7,
            trafficPerDay: 100_000,
            features: [],
            classes: 3,
          }),
        ),
      ),
    );
    expect(made.streams.map(({ id }) => id)).toEqual(['divergence', 'scores up', 'scores down']);
    expect(made.measured.alarms).toBe(0);
    const [divergence] = made.streams;
    // A sixth of a seventh a day (four streams, two of them by caller, too): 100,000 numbers a day.
    expect(divergence!.runLength).toBeCloseTo(100_000 / (1 / 7 / 6), 0);
    const five = divergence!.delays.find(({ loss }) => loss === 0.05)!;
    expect(five.hours).toBeCloseTo((24 * five.median!) / 100_000, 9);
    expect(five.hours).toBeLessThan(0.5);
    const monitor = slowBleeding.make(options, setting({ calibration: made }));
    expect(monitor.state()).toMatchObject({
      phase: 'watching',
      falseAlarms: { budgetPerDay: 1 / 7, measuredPerDay: 0 },
    });
    expect(feed(monitor, verified(6000, 0.08, LATER)).length).toBeGreaterThan(0);
  });
});
