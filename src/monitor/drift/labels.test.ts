import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Rng, randomFrom } from '../../core/random.ts';
import type { Alarm } from '../alarm.ts';
import type { Monitor, MonitorKind } from '../monitor.ts';
import type { Sighting, TrueLabel } from '../sighting.ts';
import { accuracy } from './accuracy.ts';
import { calibratedSchema } from './calibrated.ts';
import { calibrationDrift } from './calibration-drift.ts';
import { calmFeatures, FEATURES, START, setting, traffic } from './calm.fixture.ts';
import { estimateAccuracy, fitCalibrator, stepOf } from './confidence-calibrator.ts';
import { calibrate } from './drift-kind.ts';
import { estimatedPerformance } from './estimated-performance.ts';
import { openLabelJoin } from './label-join.ts';

const LATER = START + 20_000_000;
const one = (id: string, label = 1): Sighting => ({ ...traffic({ calls: 1 })[0]!, id, top: [[label, 0.9]] });
const truth = (decision: string, label: number, more: Partial<TrueLabel> = {}): TrueLabel => ({
  decision,
  sample: 0,
  label,
  at: START + 60_000,
  ...more,
});

describe('openLabelJoin', () => {
  it('puts labels to answers that are remembered, once', () => {
    const join = openLabelJoin(1000);
    join.see(one('a'));
    expect(join.learn(truth('b', 1))).toBeUndefined();
    join.see(one('a', 2));
    expect(join.learn(truth('a', 1))).toMatchObject({
      isRight: true,
      score: expect.closeTo(0.9, 6),
      caller: expect.any(String),
      at: START,
    });
    expect(join.learn(truth('a', 1))).toBeUndefined();
    expect(join.learn(truth('a', 2))).toBeUndefined();
    expect(join.learn(truth('nobody', 2))).toBeUndefined();
    expect(join.learn(truth('a', 2, { sample: 3 }))).toBeUndefined();
    expect(join.counts).toEqual({ samples: 1, labelled: 1, unknown: 3, twice: 2, contradicting: 1 });
    expect(join.delays()).toEqual({ median: 60_000, most: 60_000 });
  });

  it('takes labels that come before their decision, and samples of a batch apart', () => {
    const join = openLabelJoin(1000);
    expect(join.learn(truth('b', 4, { sample: 1 }))).toBeUndefined();
    const judged = join.see({
      ...one('b'),
      n: 2,
      top: [
        [3, 0.5],
        [4, 0.6],
      ],
    });
    expect(judged).toMatchObject([{ isRight: true, label: 4 }]);
    expect(join.learn(truth('b', 3))).toMatchObject({ isRight: true });
    expect(join.counts).toMatchObject({ unknown: 0, labelled: 2, samples: 2 });
  });

  it('remembers a bounded number of calls: the last ones', () => {
    const join = openLabelJoin(1000);
    for (let i = 0; i < 20_000; i++) join.see(one(`call ${i}`));
    let known = 0;
    for (let i = 0; i < 20_000; i++) if (join.learn(truth(`call ${i}`, 1))) known++;
    expect(known).toBeLessThanOrEqual(1024);
    expect(known).toBeGreaterThan(700);
    const again = openLabelJoin(1000);
    for (let i = 0; i < 20_000; i++) again.see(one(`call ${i}`));
    let lately = 0;
    for (let i = 19_500; i < 20_000; i++) if (again.learn(truth(`call ${i}`, 1))) lately++;
    expect(lately).toBeGreaterThan(450);
  });

  it('goes on from what it kept, and begins anew from what is damaged', () => {
    const join = openLabelJoin(64);
    expect(join.keep()).toBeUndefined();
    const batch: Sighting = {
      ...one('batch'),
      top: [
        [1, 0.5],
        [2, 0.25],
      ],
    };
    for (let i = 0; i < 200; i++) join.see(one(`ü ${i}`, i % 3));
    join.see(batch);
    join.learn(truth('ü 199', 1));
    join.learn(truth('batch', 2, { sample: 1 }));
    const kept = join.keep()!;
    const again = openLabelJoin(64, kept);
    expect(again.counts).toEqual(join.counts);
    expect(again.delays()).toEqual(join.delays());
    for (const each of [join, again]) {
      expect(each.learn(truth('ü 198', 0))).toMatchObject({ isRight: true, caller: 'client 9' });
      expect(each.learn(truth('ü 199', 1))).toBeUndefined();
      expect(each.learn(truth('batch', 2, { sample: 1 }))).toBeUndefined();
      expect(each.learn(truth('batch', 1))).toMatchObject({ isRight: true, score: 0.5 });
    }
    expect(again.counts).toEqual(join.counts);
    expect(again.keep()).toEqual(join.keep());
    for (let cut = 0; cut < kept.length; cut += 97)
      expect(openLabelJoin(64, kept.subarray(0, cut)).counts.labelled).toBe(0);
  });

  it('never counts a sample twice nor one that was not there, whatever comes', () => {
    const step = fc.record({
      id: fc.constantFrom('a', 'b', 'c', '__proto__', ''),
      label: fc.oneof(fc.integer({ min: -2, max: 3 }), fc.double()),
      sample: fc.integer({ min: -1, max: 2 }),
      isLabel: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const join = openLabelJoin(64);
        let judged = 0;
        for (const { id, label, sample, isLabel } of steps)
          judged += isLabel
            ? join.learn(truth(id, label, { sample }))
              ? 1
              : 0
            : join.see({
                ...one(id),
                top: [
                  [0, 1],
                  [1, 1],
                ],
              }).length;
        expect(join.counts.labelled).toBe(judged);
        expect(judged).toBeLessThanOrEqual(join.counts.samples);
      }),
    );
  });
});

const feed = (
  monitor: Monitor,
  sightings: readonly Sighting[],
  labels: readonly TrueLabel[] = [],
): readonly Alarm[] => [...monitor.see(sightings), ...(monitor.learn?.(labels) ?? [])];
/** Answers whose truth is told an hour later: right with the probability that they say, less `off`. */
const labelled = (
  calls: number,
  from: number,
  off: number,
  { seed = 1, say = (rng: Rng) => 0.6 + 0.4 * rng.uniform() } = {},
) => {
  const rng = randomFrom(seed, 'labelled', from);
  const sightings = traffic({ calls, from, top: (own) => [own.integer(3), say(own)] });
  const labels = sightings.map(({ id, at, top }): TrueLabel => {
    const [label, score] = top![0]!;
    return {
      decision: id,
      sample: 0,
      label: rng.uniform() < score - off ? label : (label + 1) % 3,
      at: at + 3_600_000,
    };
  });
  return { sightings, labels };
};

describe('a restart', () => {
  const goesOn = <Options>(kind: MonitorKind<Options>) =>
    it(`${kind.name} goes on with answers whose labels come after it`, () => {
      const options = kind.options.parse({});
      const { sightings, labels } = labelled(3000, START, 0);
      const through = kind.make(options, setting());
      feed(through, sightings, labels.slice(0, 400));
      const again = kind.make(options, setting({ remembered: through.snapshot() }));
      for (const monitor of [through, again]) feed(monitor, [], labels.slice(400));
      const [{ series: _, ...before }, { series: __, ...after }] = [through.state(), again.state()];
      expect(after.phase).not.toBe('blind');
      expect(after).toEqual(before);
    });
  goesOn(accuracy);
  goesOn(calibrationDrift);
  goesOn(estimatedPerformance);
});

describe('accuracy', () => {
  it('is blind without labels, then says accuracy, delays and what labels are missing', () => {
    const monitor = accuracy.make(accuracy.options.parse({}), setting());
    const { sightings, labels } = labelled(3000, START, 0);
    feed(monitor, sightings);
    expect(monitor.state()).toMatchObject({ phase: 'blind', because: 'no labels have come' });
    expect(feed(monitor, [], labels.slice(0, 1500))).toEqual([]);
    const state = monitor.state();
    expect(state.phase).toBe('watching');
    expect(state.because).toMatch(/1500 of 3000 answers have a label \(50 %, half of them within 60 minutes/);
    const part = (name: string) => state.parts.find((each) => each.name === name)!.score;
    expect(part('accuracy at least')).toBeLessThan(0.8);
    expect(part('accuracy at most')).toBeGreaterThan(0.8);
    expect(part('median delay of labels (s)')).toBe(3600);
  });

  it('finds a fall by ten points, and that one caller is behind it', () => {
    for (const only of [undefined, 'client 2']) {
      const monitor = accuracy.make(accuracy.options.parse({}), setting());
      const calm = labelled(5000, START, 0);
      expect(feed(monitor, calm.sightings, calm.labels)).toEqual([]);
      const bad = labelled(8000, LATER, only === undefined ? 0.15 : 0);
      const labels = bad.labels.map((each, i) =>
        only !== undefined && bad.sightings[i]!.principal === only ? { ...each, label: 99 } : each,
      );
      const [alarm] = feed(monitor, bad.sightings, labels);
      expect(alarm).toMatchObject({
        kind: only === undefined ? 'drift' : 'attack',
        principals: only === undefined ? [] : [only],
        monitor: 'accuracy',
      });
    }
  });

  it('watches no caller by himself, and is calm while labels are as ever', () => {
    const monitor = accuracy.make(accuracy.options.parse({ perDay: 0.5 }), setting());
    const calm = labelled(25_000, START, 0);
    expect(feed(monitor, calm.sightings, calm.labels)).toEqual([]);
    expect(monitor.state().parts.some(({ name }) => name.includes('client'))).toBe(false);
  });
});

describe('calibration', () => {
  const options = calibrationDrift.options.parse({ seconds: 60 });

  it('sees that the model became surer than it is right', () => {
    const monitor = calibrationDrift.make(options, setting());
    expect(monitor.state()).toMatchObject({ phase: 'blind', because: 'no labels have come' });
    const calm = labelled(4000, START, 0);
    expect(feed(monitor, calm.sightings, calm.labels)).toEqual([]);
    expect(monitor.state()).toMatchObject({ phase: 'watching' });
    const off = labelled(1500, LATER, 0.2);
    expect(feed(monitor, off.sightings, off.labels)[0]).toMatchObject({
      kind: 'drift',
      title: 'the model is surer than it is right',
    });
    expect(monitor.state().parts[0]).toMatchObject({ name: 'expected calibration error' });
  });

  it('says that logits are no probabilities', () => {
    const monitor = calibrationDrift.make(options, setting());
    const logits = labelled(2000, START, 0, { say: (rng) => 5 + rng.normal() });
    feed(monitor, logits.sightings, logits.labels);
    expect(monitor.state()).toMatchObject({ phase: 'blind', because: 'scores are no probabilities' });
  });

  it('is calibrated with labels', () => {
    const { sightings, labels } = labelled(30_000, START, 0);
    const request = { budgetPerDay: 0.1, features: FEATURES, classes: 3, labels, options: { seconds: 60 } };
    const made = calibratedSchema.parse(calibrate(calibrationDrift, sightings, request));
    expect(made.measured.alarms).toBe(0);
    expect(made.reference.width).toBe(2);
    expect(calibrate(calibrationDrift, sightings, { ...request, labels: [] })).toBeUndefined();
  });
});

describe('a calibrator of confidence', () => {
  const rng = randomFrom(9, 'calibrator');
  const answers = (n: number) =>
    Array.from({ length: n }, () => ({ score: rng.uniform(), isRight: false })).map(({ score }) => ({
      score,
      isRight: rng.uniform() < score ** 2,
    }));

  it('never falls, and is near the truth', () => {
    const made = fitCalibrator(answers(5000))!;
    const share = made.n.map((n, k) => made.right[k]! / n);
    expect([...share].sort((a, b) => a - b)).toEqual(share);
    expect(Math.abs(share[stepOf(made, 0.8)]! - 0.64)).toBeLessThan(0.1);
    expect(fitCalibrator(answers(99))).toBeUndefined();
    expect(fitCalibrator(Array.from({ length: 200 }, () => ({ score: 1, isRight: true })))).toEqual({
      bounds: [],
      n: [200],
      right: [200],
    });
  });

  it('estimates accuracy on other scores, with an interval that holds the truth in 60 of 60 runs', () => {
    for (let run = 0; run < 60; run++) {
      const made = fitCalibrator(answers(600))!;
      const counts = new Float64Array(made.n.length);
      let sum = 0;
      for (let i = 0; i < 500; i++) {
        const score = Math.sqrt(rng.uniform());
        counts[stepOf(made, score)]!++;
        sum += score ** 2 / 500;
      }
      const { interval, n } = estimateAccuracy(made, counts);
      expect(n).toBe(500);
      expect(interval[0] <= sum && sum <= interval[1]).toBe(true);
    }
    expect(estimateAccuracy(fitCalibrator(answers(600))!, [])).toEqual({
      n: 0,
      accuracy: 0,
      interval: [0, 1],
    });
  });
});

describe('estimated-performance', () => {
  const options = estimatedPerformance.options.parse({});

  it('waits for labelled calm answers, then estimates, and finds a fall without labels', () => {
    const monitor = estimatedPerformance.make(options, setting());
    expect(monitor.state()).toMatchObject({
      phase: 'blind',
      because: expect.stringMatching(/^0 of 500 labelled answers/),
    });
    const calm = labelled(3000, START, 0);
    feed(monitor, calm.sightings, calm.labels);
    expect(
      monitor.see(traffic({ calls: 4000, from: LATER, top: (rng) => [0, 0.6 + 0.4 * rng.uniform()] })),
    ).toEqual([]);
    expect(monitor.state()).toMatchObject({
      phase: 'watching',
      because: expect.stringMatching(/^estimated accuracy/),
    });
    const unsure = traffic({
      calls: 3000,
      from: 2 * LATER - START,
      top: (rng) => [0, 0.6 + 0.15 * rng.uniform()],
    });
    const [alarm] = monitor.see(unsure);
    expect(alarm).toMatchObject({ kind: 'drift', title: 'the model is likely wrong more often than it was' });
    expect(alarm!.why).toMatch(/No labels are in this/);
    const estimate = monitor.state().parts.find(({ name }) => name === 'estimated accuracy')!.score;
    expect(Math.abs(estimate - 0.675)).toBeLessThan(0.06);
  });

  it('says that it cannot be trusted when inputs moved, also after a restart', () => {
    const calm = labelled(4000, START, 0);
    const first = estimatedPerformance.make(options, setting());
    feed(first, calm.sightings, calm.labels);
    feed(first, labelled(3000, LATER, 0).sightings);
    expect(first.state().phase).toBe('watching');
    const monitor = estimatedPerformance.make(options, setting({ remembered: first.snapshot() }));
    monitor.see(
      traffic({
        calls: 9000,
        from: 2 * LATER - START,
        features: (rng) => calmFeatures(rng).with(0, 3),
        top: (rng) => [0, 0.6 + 0.4 * rng.uniform()],
      }),
    );
    expect(monitor.state()).toMatchObject({
      phase: 'blind',
      because: expect.stringMatching(/cannot be trusted now: inputs moved \(age\)/),
    });
    expect(monitor.state().parts.find(({ name }) => name === 'can be trusted')!.score).toBe(0);
  });

  it('is calibrated with labels: no label is needed afterwards', () => {
    const { sightings, labels } = labelled(20_000, START, 0);
    const calibration = calibrate(estimatedPerformance, sightings, {
      budgetPerDay: 0.1,
      features: FEATURES,
      classes: 3,
      labels: labels.slice(0, 3000),
    });
    const monitor = estimatedPerformance.make(
      options,
      setting({ calibration: JSON.parse(JSON.stringify(calibration)) as unknown }),
    );
    expect(monitor.see(labelled(3000, LATER, 0).sightings)).toEqual([]);
    expect(monitor.state()).toMatchObject({
      phase: 'watching',
      because: expect.stringMatching(/^estimated accuracy/),
    });
  });
});
