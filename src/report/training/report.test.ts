import { describe, expect, it } from 'vitest';
import { epsilonFor, sentenceOf } from '../../privacy/index.ts';
import { publishable, type TrainingRecord } from '../../train/record.ts';
import { accuracyCurves, lossCurves } from './curves.ts';
import { renderTrainingHtml } from './html.ts';

const record: TrainingRecord = {
  schema: 'glacis.training/1',
  model: { name: '<b>model</b>.onnx', digest: 'sha256:1', parameters: 1234, folded: false },
  start: { recipe: 'mlp(hidden=8)', modelDigest: 'sha256:0' },
  data: { source: 'a.npz', description: '100 samples', digest: 'sha256:2', n: 100, notes: ['scaled'] },
  validation: {
    source: 'a.npz',
    description: '100 samples',
    digest: 'sha256:2',
    n: 10,
    notes: [],
    share: 0.1,
  },
  config: {
    epochs: 5,
    seed: 3,
    objective: { name: 'fast', eps: 0.1 },
    mixup: null,
    validationThreat: { eps: 0.1 },
  },
  environment: { glacis: '1', onnxruntime: '1', node: '24', os: 'x', cpu: 'y', threads: 2, device: 'cpu' },
  epochs: [
    { loss: 3, robust: 0.2, validation: { loss: 2, accuracy: 0.5, fgsm: 0.4, robust: 0.3 }, seconds: 1 },
    { loss: 1, robust: 0.6, validation: { loss: 1.5, accuracy: 0.75, fgsm: 0.9, robust: 0.01 }, seconds: 1 },
  ],
  outcome: { epoch: 0, stopped: 'catastrophic overfitting', fellBack: null },
  startedAt: '2026-11-21T08:00:00.000Z',
  finishedAt: '2026-11-21T08:01:00.000Z',
  command: 'glacis train --data a.npz',
};

describe('the report of a training', () => {
  it('draws what was measured, and nothing else', () => {
    expect(lossCurves(record).map(({ label, values }) => [label, values])).toEqual([
      ['training', [3, 1]],
      ['validation', [2, 1.5]],
    ]);
    expect(accuracyCurves(record).map(({ label }) => label)).toEqual([
      'validation',
      'training, attacked',
      'under FGSM',
      'under PGD',
    ]);
  });

  it('puts values where they belong: higher accuracy is higher, and the kept epoch is marked', () => {
    const page = renderTrainingHtml(record);
    const [, points] = /held-out"><polyline class="line" points="([^"]+)"/.exec(page)!;
    const [first, second] = points!.split(' ').map((pair) => pair.split(',').map(Number));
    expect(first![0]).toBeLessThan(second![0]!);
    // From 50 % to 75 %: a quarter of the 270 units between top and floor.
    expect(first![1]! - second![1]!).toBeCloseTo(270 / 4, 1);
    expect(page).toContain(`<line class="kept" x1="${first![0]}"`);
  });

  it('says what came out, of the epoch that was kept, and why it stopped', () => {
    const page = renderTrainingHtml(record);
    expect(page).toContain(
      '50.0\u00a0% right and 30.0\u00a0% under attack on samples that it did not learn from.',
    );
    expect(page).toContain('<b>Stopped early</b> after 2 of 5 epochs: catastrophic overfitting.');
    expect(page).toContain('fast(eps=0.1)');
    expect(page).not.toContain('mixup');
  });

  it('says what a private run promises, and that its figures are the owner’s; published, it has none of them', () => {
    const statement = epsilonFor([{ rate: 0.01, noise: 2, steps: 100 }], 1e-5, { accountant: 'rdp' });
    const { validation: _, ...rest } = record;
    const owners: TrainingRecord = {
      ...rest,
      epochs: [{ loss: 1.5, accuracy: 0.25, norm: 3, unclipped: 0.1, clip: 1, seconds: 1 }],
      outcome: { epoch: 0, stopped: null, fellBack: null },
      privacy: {
        covers: 'weights',
        statements: [statement],
        rate: 0.01,
        expectedBatch: 10,
        steps: 100,
        noise: 2,
        gradientNoise: 2,
        clip: 1,
        start: 'drawn',
        rewritten: [],
        warnings: ['delta is large'],
        allRuns: { runs: 3, statement },
      },
    };
    const page = renderTrainingHtml(owners);
    expect(page).toContain(sentenceOf(statement));
    expect(page).toContain('All 3 private runs');
    expect(page).toContain('delta is large');
    expect(page).toContain('For the owner of the data only');
    expect(page).toContain('mean norm');
    const published = renderTrainingHtml(publishable(owners));
    expect(published).toContain(sentenceOf(statement));
    expect(published).toContain('withheld');
    for (const secret of ['For the owner', 'sha256:2', 'scaled', 'mean norm', '25.0', 'NaN'])
      expect(published).not.toContain(secret);
  });

  it('escapes names, and stands for a single epoch without validation', () => {
    const { validation: _, ...bare } = record;
    const page = renderTrainingHtml({
      ...bare,
      epochs: [{ loss: 0.5, seconds: 1 }],
      outcome: { epoch: 0, stopped: null, fellBack: null },
    });
    expect(page).toContain('&lt;b&gt;model&lt;/b&gt;.onnx');
    expect(page).not.toContain('<b>model</b>');
    expect(page).toContain('The loss on the samples that it learned from came to 0.5.');
    expect(page).not.toContain('NaN');
  });
});
