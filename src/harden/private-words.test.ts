import { describe, expect, it } from 'vitest';
import type { Assessment } from '../assess/index.ts';
import { epsilonFor } from '../privacy/index.ts';
import type { PrivacyRecord } from '../train/record.ts';
import { bothWords, costWords, privacyWords } from './private-words.ts';

const statement = epsilonFor([{ rate: 0.01, noise: 2, steps: 100 }], 1e-5, { accountant: 'rdp' });
const record: PrivacyRecord = {
  ...{ covers: 'weights', statements: [statement], rate: 0.01, expectedBatch: 10, steps: 100 },
  ...{ noise: 2, gradientNoise: 2, clip: 1, start: 'drawn', rewritten: [], warnings: [] },
  allRuns: { runs: 1, statement },
};
const seen = (advantage: number, accuracy: number) =>
  ({
    members: { rate: { accuracy } },
    others: { rate: { accuracy: 0.8 } },
    membership: {
      advantage: { difference: advantage, interval: [advantage - 0.05, advantage + 0.05] },
      auc: 0.6,
    },
  }) as unknown as NonNullable<Assessment['generalisation']>;

describe('privacyWords', () => {
  it('says what is promised, what an attack can gain at most, and what one gained', () => {
    const text = privacyWords(record, seen(0.3, 1), seen(0, 0.82)).join('\n');
    expect(text).toContain('by the RDP accountant');
    const { epsilon } = statement;
    const most = (100 * (Math.exp(epsilon) - 1)) / (Math.exp(epsilon) + 1);
    expect(text).toContain(`exceeds its false positive rate by at most ${most.toFixed(1)} points`);
    expect(text).toContain('30.0 points (95 % interval 25.0 to 35.0, AUC 0.60) before');
    expect(text).toContain('0.0 points (95 % interval −5.0 to 5.0');
    expect(text).toContain('Before, the model was right on 100.0 % on training and 80.0 % on other samples');
    expect(text).toContain('drawn anew');
    expect(text).not.toContain('private runs');
  });

  it('says that other runs add up, and on whose word it rests', () => {
    const more: PrivacyRecord = {
      ...record,
      ...{ start: 'said to be public', rewritten: ['bn'], allRuns: { runs: 2, statement } },
    };
    const text = privacyWords(more, undefined, undefined).join('\n');
    expect(text).toContain('all 2 private runs');
    expect(text).toContain('your word');
    expect(text).toContain('group normalisation');
    expect(text).not.toContain('advantage of');
  });
});

it('does not call a model that is private and withstands less a failure, nor a success', () => {
  expect(bothWords('lower')).toContain('withstands less than the model before, which protected no sample');
  expect(bothWords('higher')).toContain('withstands more now');
  expect(bothWords('no difference shown')).toContain('nothing shows');
});

it('says what it cost only where that was shown', () => {
  expect(costWords('lower')).toContain('paid for');
  expect(costWords('higher')).toContain('right more often');
  expect(costWords(undefined)).toContain('no price');
});
