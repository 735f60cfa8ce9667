import { describe, expect, it } from 'vitest';
import { rateOf } from '../compare/contrast.ts';
import { evaluation, rights, row, rows } from './evaluation.fixture.ts';
import type { DefenceEvaluation } from './result.ts';
import { defenceToJson, parseDefence } from './result-json.ts';

const good: DefenceEvaluation = {
  ...evaluation(rows(70, 5)),
  detector: {
    squeezers: ['median(window=2)'],
    threshold: 0.5,
    falsePositiveRate: 0.05,
    samples: 100,
    passed: rateOf(rights(94)),
    rows: [{ attacker: 'detector-aware', n: 90, fooled: 80, rejected: 60 }],
  },
};
const read = (value: unknown) => () => parseDefence(JSON.stringify(value));

describe('an evaluation of a defence in a file', () => {
  it('comes back as it was written', () => {
    expect(parseDefence(defenceToJson(good))).toEqual(good);
  });

  it.each([
    ['another schema', { ...good, schema: 'glacis.assessment/1' }, 'glacis defend'],
    ['no worst case', { ...good, rows: good.rows.slice(0, -1) }, 'worst once'],
    [
      'an attacker left out',
      { ...good, rows: good.rows.filter((r) => r.attacker !== 'margin') },
      'margin once',
    ],
    ['an attacker twice', { ...good, rows: [...good.rows, row('worst', 5, 4)] }, 'at most'],
    [
      'a worst case that is too good',
      { ...good, rows: good.rows.map((r) => (r.attacker === 'worst' ? row('worst', 5, 60) : r)) },
      'less standing',
    ],
    [
      'a difference that is made up',
      { ...good, rows: good.rows.map((r) => ({ ...r, difference: 0.5 })) },
      'difference',
    ],
    [
      'an accuracy that is made up',
      { ...good, rows: good.rows.map((r) => ({ ...r, defended: { ...r.defended, accuracy: 1 } })) },
      'accuracy',
    ],
    [
      'pairs that do not add up',
      { ...good, rows: good.rows.map((r) => ({ ...r, pairs: { ...r.pairs, both: 99 } })) },
      'pairs',
    ],
    ['rows on other samples', { ...good, data: { ...good.data, n: 7 } }, '7 samples'],
    [
      'a detector that rejects more than was there',
      {
        ...good,
        detector: { ...good.detector!, rows: [{ attacker: 'direct', n: 1, fooled: 1, rejected: 2 }] },
      },
      'rejected',
    ],
    ['a temperature without figures', { ...good, temperature: { temperature: 1 } }, 'temperature'],
  ])('is refused with %s', (_, value, hint) => {
    expect(read(value)).toThrow(hint);
  });
});
