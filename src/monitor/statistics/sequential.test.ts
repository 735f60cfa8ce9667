import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { betsAgainst, openEProcess } from './betting.ts';
import { openConfidenceSequence } from './confidence-sequence.ts';
import { openEDetector } from './e-detector.ts';

describe('betsAgainst', () => {
  it('keeps capital positive whatever comes', () => {
    for (const m of [0, 0.001, 0.01, 0.3, 0.9, 1]) {
      const bets = betsAgainst(m);
      for (const bet of bets) expect(1 - bet * m).toBeGreaterThan(0);
      expect([...bets].sort((a, b) => a - b)).toEqual([...bets]);
    }
  });
});

describe('openEProcess', () => {
  it('is the mixture of its bets, written out for three numbers', () => {
    const process = openEProcess(0.2, Float64Array.of(0.5, 2));
    for (const x of [1, 0, 0.5]) process.take(x);
    const by = (bet: number) => (1 + bet * 0.8) * (1 - bet * 0.2) * (1 + bet * 0.3);
    expect(Math.exp(process.evidence)).toBeCloseTo((by(0.5) + by(2)) / 2, 12);
  });

  it('reaches 1/α in at most the share α of 1,000 calm runs, although one looks after each of 500 numbers', () => {
    const rng = randomFrom(1, 'ville');
    let alarms = 0;
    for (let run = 0; run < 1000; run++) {
      const process = openEProcess(0.1);
      for (let t = 0; t < 500; t++) {
        process.take(rng.uniform() < 0.1 ? 1 : 0);
        if (process.evidence >= Math.log(20)) {
          alarms++;
          break;
        }
      }
    }
    expect(alarms).toBeLessThan(50 + 4 * Math.sqrt(47.5));
  });

  it('learns nothing from what is no number and takes the rest as ends of [0, 1]', () => {
    const process = openEProcess(0.5);
    process.take(Number.NaN);
    expect(process.evidence).toBeCloseTo(0, 12);
    const [a, b] = [openEProcess(0.5), openEProcess(0.5)];
    for (const x of [7, -3]) a.take(x);
    for (const x of [1, 0]) b.take(x);
    expect(a.evidence).toBe(b.evidence);
  });
});

describe('openConfidenceSequence', () => {
  it('holds the mean at all of 2,000 times, in all but α of 300 runs', () => {
    const rng = randomFrom(2, 'sequence');
    let missed = 0;
    for (let run = 0; run < 300; run++) {
      const sequence = openConfidenceSequence(0.9);
      for (let t = 0; t < 2000; t++) sequence.take(rng.uniform() ** 3);
      const [low, high] = sequence.interval;
      if (low > 0.25 || high < 0.25) missed++;
    }
    expect(missed).toBeLessThan(30 + 4 * Math.sqrt(27));
  });

  it('becomes narrow fast where numbers vary little', () => {
    const rng = randomFrom(3, 'narrow');
    const [calm, wild] = [openConfidenceSequence(), openConfidenceSequence()];
    for (let t = 0; t < 5000; t++) {
      calm.take(0.5 + 0.01 * rng.normal());
      wild.take(rng.uniform() < 0.5 ? 1 : 0);
    }
    const width = ([low, high]: readonly [number, number]) => high - low;
    expect(width(calm.interval)).toBeLessThan(0.02);
    expect(width(wild.interval)).toBeLessThan(0.1);
    expect(width(calm.interval)).toBeLessThan(width(wild.interval) / 3);
    expect(calm.mean).toBeCloseTo(0.5, 2);
  });

  it('knows nothing before the first number', () => {
    expect(openConfidenceSequence().interval).toEqual([0, 1]);
  });
});

describe('openEDetector', () => {
  it('runs at least as long as it says until a false alarm, on average over 150 calm runs', () => {
    const rng = randomFrom(4, 'arl');
    let sum = 0;
    for (let run = 0; run < 150; run++) {
      const detector = openEDetector(0.2, 500);
      let t = 1;
      // Runs are cut at 5,000: that makes the mean too small, never too large.
      while (t < 5000 && !detector.take(rng.uniform() < 0.2 ? 1 : 0)) t++;
      sum += t;
    }
    expect(sum / 150).toBeGreaterThan(500);
  });

  it('keeps its promise where numbers depend on each other, as long as their mean given the past is no higher', () => {
    const rng = randomFrom(5, 'dependent');
    let sum = 0;
    for (let run = 0; run < 100; run++) {
      const detector = openEDetector(0.3, 300);
      let [t, wild] = [1, false];
      while (t < 4000) {
        const x = wild ? (rng.uniform() < 0.3 ? 1 : 0) : 0.3 * rng.uniform() * 2;
        wild = x > 0.4 ? !wild : wild;
        if (detector.take(x)) break;
        t++;
      }
      sum += t;
    }
    expect(sum / 100).toBeGreaterThan(300);
  });

  it('finds a change after a long calm, and goes on from what it remembered', () => {
    const rng = randomFrom(6, 'change');
    const make = (capitals?: Float64Array) => openEDetector(0.05, 1e6, { capitals });
    let detector = make();
    for (let t = 0; t < 20_000; t++) expect(detector.take(rng.uniform() < 0.04 ? 1 : 0)).toBe(false);
    const other = make(detector.capitals);
    let delay = 0;
    while (!detector.take(rng.uniform() < 0.12 ? 1 : 0)) delay++;
    expect(delay).toBeLessThan(700);
    detector.reset();
    expect(detector.total()).toBe(0);
    detector = make();
    for (let t = 0; t < 20_000; t++) detector.take(0);
    expect(other.total()).toBeGreaterThan(0);
  });

  it('does not overflow, and begins anew from a memory that is none', () => {
    const detector = openEDetector(0.01, 1e9, {
      capitals: Float64Array.of(Number.NaN, -1, Number.POSITIVE_INFINITY),
    });
    for (let t = 0; t < 5000; t++) detector.take(1);
    expect(Number.isFinite(detector.total())).toBe(true);
    const sane = openEDetector(0.5, 10, { capitals: new Float64Array(12).fill(Number.NaN) });
    expect(sane.take(0)).toBe(false);
  });
});
