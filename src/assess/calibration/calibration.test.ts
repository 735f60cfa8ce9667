import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { calibrationOf } from './calibration.ts';
import { confidencesOf } from './confidences.ts';
import { fitTemperature } from './fit-temperature.ts';

describe('calibrationOf', () => {
  it('gives the figures of a small example', () => {
    // Probabilities (0.75, 0.25), (0.55, 0.45), (0.1, 0.9); right, wrong, right.
    const logits = Float32Array.from([0.75, 0.25, 0.55, 0.45, 0.1, 0.9], Math.log);
    const found = calibrationOf(confidencesOf({ logits, labels: [0, 1, 1], classes: 2 }), 5);
    expect(found.accuracy).toBeCloseTo(2 / 3, 6);
    expect(found.confidence).toBeCloseTo(2.2 / 3, 6);
    expect(found.nll).toBeCloseTo(-(Math.log(0.75) + Math.log(0.45) + Math.log(0.9)) / 3, 6);
    expect(found.brier).toBeCloseTo((0.125 + 0.605 + 0.02) / 3, 6);
    expect(found.bins.map((b) => b.n)).toEqual([0, 0, 1, 1, 1]);
    expect(found.ece).toBeCloseTo((0.25 + 0.55 + 0.1) / 3, 6);
  });

  it('fills bins of equal mass equally', () => {
    const { logits, labels } = samples(150, 3, 1);
    const said = confidencesOf({ logits, labels, classes: 3 });
    const { eceEqualMass } = calibrationOf(said, 15);
    const order = Array.from(said.answered.keys()).sort((a, b) => said.answered[a]! - said.answered[b]!);
    let expected = 0;
    for (let at = 0; at < 150; at += 10) {
      const bin = order.slice(at, at + 10);
      const gap = bin.reduce((sum, i) => sum + said.correct[i]! - said.answered[i]!, 0);
      expected += Math.abs(gap) / 150;
    }
    expect(eceEqualMass).toBeCloseTo(expected, 12);
  });

  it('is near 0 for a model that is as right as it says, and not for one that exaggerates', () => {
    const { logits, labels } = samples(10_000, 4, 1);
    const honest = calibrationOf(confidencesOf({ logits, labels, classes: 4 }));
    expect(honest.ece).toBeLessThan(0.02);
    const loud = calibrationOf(confidencesOf({ logits, labels, classes: 4 }, 1 / 3));
    expect(loud.ece).toBeGreaterThan(0.1);
    expect(loud.confidence).toBeGreaterThan(loud.accuracy);
  });

  it('reads one logit as two classes', () => {
    const one = confidencesOf({ logits: Float32Array.of(2, -1), labels: [1, 1], classes: 1 });
    const two = confidencesOf({ logits: Float32Array.of(0, 2, 0, -1), labels: [1, 1], classes: 2 });
    expect(one).toEqual(two);
  });

  it('stays finite where a model is sure of the wrong class', () => {
    const found = calibrationOf(
      confidencesOf({ logits: Float32Array.of(1000, -1000), labels: [1], classes: 2 }),
    );
    expect(found.nll).toBe(2000);
    expect(found.brier).toBe(2);
  });

  it('without samples knows nothing', () => {
    const none = calibrationOf(confidencesOf({ logits: new Float32Array(0), labels: [], classes: 3 }));
    expect([none.n, none.ece, none.eceEqualMass, none.nll]).toEqual([0, 0, 0, 0]);
  });

  it.each([
    [Float32Array.of(1, 2, 3), [0]],
    [Float32Array.of(1, Number.NaN), [0]],
    [Float32Array.of(1, 2), [2]],
    [Float32Array.of(1, 2), [-1]],
  ])('refuses logits %j with labels %j', (logits, labels) => {
    expect(() => confidencesOf({ logits, labels, classes: 2 })).toThrow();
  });
});

describe('fitTemperature', () => {
  it.each([0.3, 1, 2.5, 8])('finds a temperature of %d again', (t) => {
    const { logits, labels } = samples(10_000, 5, t);
    const { temperature, atLimit } = fitTemperature({ logits, labels, classes: 5 });
    expect(atLimit).toBe(false);
    expect(temperature / t).toBeGreaterThan(0.95);
    expect(temperature / t).toBeLessThan(1.05);
  });

  it('is where the loss is least', () => {
    const { logits, labels } = samples(500, 3, 2);
    const nll = (t: number) => calibrationOf(confidencesOf({ logits, labels, classes: 3 }, t)).nll;
    const { temperature } = fitTemperature({ logits, labels, classes: 3 });
    expect(nll(temperature)).toBeLessThan(nll(temperature * 1.001));
    expect(nll(temperature)).toBeLessThan(nll(temperature * 0.999));
    expect(nll(temperature)).toBeLessThanOrEqual(nll(1));
  });

  it('says so where the samples set no limit', () => {
    const logits = Float32Array.of(1, 0, 0, 1);
    expect(fitTemperature({ logits, labels: [0, 1], classes: 2 })).toEqual({
      temperature: 0.01,
      atLimit: true,
    });
    expect(fitTemperature({ logits, labels: [1, 0], classes: 2 })).toEqual({
      temperature: 100,
      atLimit: true,
    });
    expect(() => fitTemperature({ logits: new Float32Array(0), labels: [], classes: 2 })).toThrow('samples');
  });

  it('fits a binary model, too', () => {
    const { logits, labels } = samples(5000, 2, 3);
    const one = Float32Array.from({ length: 5000 }, (_, i) => logits[2 * i + 1]! - logits[2 * i]!);
    const a = fitTemperature({ logits: one, labels, classes: 1 }).temperature;
    expect(a).toBeCloseTo(fitTemperature({ logits, labels, classes: 2 }).temperature, 4);
  });
});

/** Labels drawn from softmax(logits / t). */
function samples(n: number, classes: number, t: number) {
  const rng = randomFrom(7, 'calibration', classes);
  const logits = Float32Array.from({ length: n * classes }, () => 2 * t * rng.normal());
  const labels = Int32Array.from({ length: n }, (_, i) => {
    const powers = Array.from(logits.subarray(i * classes, (i + 1) * classes), (z) => Math.exp(z / t));
    let left = rng.uniform() * powers.reduce((sum, p) => sum + p, 0);
    return Math.max(
      0,
      powers.findIndex((p) => {
        left -= p;
        return left < 0;
      }),
    );
  });
  return { logits, labels };
}
