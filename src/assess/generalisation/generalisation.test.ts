import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import type { Scored } from '../calibration/confidences.ts';
import { generalisationFindings } from './findings.ts';
import { generalisationOf } from './generalisation.ts';
import { membershipTest } from './membership.ts';

describe('membershipTest', () => {
  it('tells apart what a threshold tells apart', () => {
    const members = Float64Array.from({ length: 200 }, (_, i) => -0.1 - i / 1e4);
    const others = Float64Array.from({ length: 200 }, (_, i) => -0.5 - i / 1e4);
    const found = membershipTest(members, others);
    expect([found.truePositives.right, found.falsePositives.right, found.auc]).toEqual([100, 0, 1]);
    expect(found.advantage.difference).toBe(1);
    expect(found.threshold).toBeGreaterThan(0.11);
    expect(found.threshold).toBeLessThan(0.5);
  });

  it('gains nothing where there is nothing: its threshold is judged on other samples', () => {
    const rng = randomFrom(1, 'members');
    let total = 0;
    for (let turn = 0; turn < 50; turn++) {
      const draw = () => Float64Array.from({ length: 100 }, () => -rng.uniform());
      total += membershipTest(draw(), draw()).advantage.difference / 50;
    }
    // Standard deviation of one advantage is at most √(2 · ¼ / 50) = 0.1.
    expect(Math.abs(total)).toBeLessThan((5 * 0.1) / Math.sqrt(50));
  });

  it('counts equal losses as equal', () => {
    const same = new Float64Array(50).fill(-0.3);
    const found = membershipTest(same, same);
    expect(found.auc).toBe(0.5);
    expect(found.advantage.difference).toBe(0);
  });

  it('has an AUC that is the share of ordered pairs', () => {
    const [a, b] = [Float64Array.of(-1, -2, -3), Float64Array.of(-2, -4)];
    // −1 beats both, −2 ties one and beats one, −3 beats one.
    expect(membershipTest(a, b).auc).toBeCloseTo((2 + 1.5 + 1) / 6, 12);
  });

  it('needs two samples of each', () => {
    expect(() => membershipTest(Float64Array.of(0), Float64Array.of(0, 0))).toThrow('members');
  });
});

describe('generalisationOf', () => {
  it('shows the gaps of a model that knows its training data by heart', () => {
    const found = generalisationOf(scored(400, 1, 8), scored(400, 0.7, 2));
    expect(found.accuracyGap.difference).toBeCloseTo(0.3, 6);
    expect(found.accuracyGap.interval[0]).toBeGreaterThan(0.2);
    expect(found.confidenceGap.difference).toBeGreaterThan(0);
    expect(found.confidenceGap.interval[0]).toBeGreaterThan(0);
    expect(found.lossGap).toBeGreaterThan(0.3);
    const [finding] = generalisationFindings(found);
    expect(finding).toMatchObject({ id: 'privacy/training-data-shows', severity: 'high' });
  });

  it('finds nothing in a model that treats both alike', () => {
    const found = generalisationOf(scored(400, 0.8, 3), scored(400, 0.8, 3));
    expect(found.accuracyGap.difference).toBe(0);
    expect(found.confidenceGap.difference).toBe(0);
    expect(found.membership.auc).toBe(0.5);
    expect(generalisationFindings(found)).toEqual([]);
    expect(generalisationFindings(undefined)).toEqual([]);
  });
});

/** Two classes: a share of `right` answers, all with one margin. */
function scored(n: number, right: number, margin: number): Scored {
  const labels = Int32Array.from({ length: n }, (_, i) => i % 2);
  const logits = new Float32Array(2 * n);
  for (let i = 0; i < n; i++) {
    const isRight = i % 10 < 10 * right;
    logits[2 * i + (isRight ? labels[i]! : 1 - labels[i]!)] = margin;
  }
  return { logits, labels, classes: 2 };
}
