import { describe, expect, it } from 'vitest';
import { rateOf } from '../../assess/compare/contrast.ts';
import { evaluation, rights, row, rows } from '../../assess/defence/evaluation.fixture.ts';
import { renderDefenceHtml } from './html.ts';
import { renderDefenceText } from './text.ts';
import { defenceVerdict, points } from './words.ts';

describe('the verdict on a defence', () => {
  it('says that nothing is real where the best attacker takes all', () => {
    expect(defenceVerdict({ rows: rows(70, 6) })).toContain(
      'Of the +65.0 points that it seems to gain, none is shown',
    );
  });

  it('says how much is real', () => {
    expect(defenceVerdict({ rows: rows(70, 30) })).toContain('seems to gain, +25.0 points are real');
  });

  it('says that a defence makes it weaker', () => {
    const weaker = rows(70, 30).map((r) => (r.attacker === 'worst' ? row('worst', 40, 20) : r));
    expect(defenceVerdict({ rows: weaker })).toContain('weaker (−20.0 points');
  });

  it('counts what follows the gradient as a claim, too', () => {
    expect(defenceVerdict({ rows: rows(5, 5) })).toContain('Of the +35.0 points that it seems to gain, none');
  });
});

describe('renderDefenceText', () => {
  it('shows a line for each attacker, and no control characters', () => {
    const text = renderDefenceText(evaluation(rows(70, 6)));
    for (const name of [
      'nobody',
      'does not know',
      'follows',
      'passes',
      'looks at margins',
      'only asks',
      'the best of them',
    ])
      expect(text.split('\n').filter((line) => line.startsWith(name))).toHaveLength(1);
    expect(text).not.toContain('\u001b');
    expect(text).not.toContain('Detector');
  });

  it('shows detector and temperature where they are there', () => {
    const calibration = {
      n: 50,
      accuracy: 0.9,
      confidence: 0.95,
      nll: 0.3,
      brier: 0.2,
      ece: 0.05,
      eceEqualMass: 0.06,
      bins: [],
    };
    const text = renderDefenceText({
      ...evaluation(rows(70, 6)),
      detector: {
        squeezers: ['median(window=2)'],
        threshold: 0.5,
        falsePositiveRate: 0.05,
        samples: 100,
        passed: rateOf(rights(94)),
        rows: [
          { attacker: 'unaware', n: 90, fooled: 80, rejected: 60 },
          { attacker: 'detector-aware', n: 90, fooled: 0, rejected: 0 },
        ],
      },
      temperature: {
        temperature: 1.5,
        atLimit: false,
        samples: 50,
        before: calibration,
        after: { ...calibration, nll: 0.25 },
      },
    });
    expect(text).toMatch(/It\s+rejects 6\.0 % of others\./);
    expect(text).toMatch(/does not know of the defence\s+80 of 90\s+75\.0 %\s+22\.2 %/);
    expect(text).toMatch(/attacks all squeezed pictures at once\s+0 of 90\s+–\s+0 %/);
    expect(text).toContain('Temperature: 1.5');
    expect(text).toMatch(/after\s+0\.0500\s+0\.0600\s+0\.2500/);
  });
});

describe('renderDefenceHtml', () => {
  it('shows every attacker, and escapes names', () => {
    const hostile = { ...evaluation(rows(70, 6)), defences: '<script>alert(1)</script>' };
    const page = renderDefenceHtml(hostile);
    expect(page.match(/<tr class=/g)).toHaveLength(hostile.rows.length);
    expect(page).not.toContain('<script');
    expect(page).toContain('No gain is shown against attackers who know of the defence');
    expect(page).not.toContain('What the detector rejects');
  });
});

describe('points', () => {
  it('shows a sign and no minus zero', () => {
    expect([points(0.125), points(-0.005), points(-0.0001)]).toEqual([
      '+12.5 points',
      '−0.5 points',
      '+0.0 points',
    ]);
  });
});
