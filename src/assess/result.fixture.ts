import { clopperPearson } from '../core/statistics/clopper-pearson.ts';
import { ASSESSMENT_SCHEMA, type Assessment, type EvasionResult, type WorstCase } from './result.ts';

/** An evasion result whose interval fits its figures; `right` of `n` samples survive, `clean` are right before. */
export function sampleResult(
  attack: string,
  eps: number,
  [right, clean, n]: readonly [number, number, number],
  more: Partial<EvasionResult> = {},
): EvasionResult {
  return {
    suite: 'evasion',
    attack,
    options: attack === 'fgsm' ? {} : { steps: 40, relativeStep: 0.1, restarts: 1 },
    norm: 'linf',
    eps,
    n,
    cleanAccuracy: clean / n,
    robustAccuracy: right / n,
    confidence: clopperPearson(right, n),
    queries: n * (attack === 'fgsm' ? 2 : 42),
    gradientQueries: n * (attack === 'fgsm' ? 1 : 40),
    seconds: attack === 'fgsm' ? 0.12 : 4.8,
    perSample: `${attack}-linf-${eps}.json`,
    ...more,
  };
}

/** The worst case to go with {@link sampleResult}. */
export function sampleWorstCase(
  eps: number,
  [right, clean, n]: readonly [number, number, number],
  more: Partial<WorstCase> = {},
): WorstCase {
  return {
    norm: 'linf',
    eps,
    n,
    attacks: ['fgsm', 'pgd'],
    cleanAccuracy: clean / n,
    robustAccuracy: right / n,
    confidence: clopperPearson(right, n),
    ...more,
  };
}

/** A small, well-formed assessment for tests: two attacks at three budgets on 1,000 samples. */
export function sampleAssessment(more: Partial<Assessment> = {}): Assessment {
  return {
    schema: ASSESSMENT_SCHEMA,
    status: 'complete',
    model: {
      name: 'mnist-cnn-adv',
      digest: `sha256:${'3f'.repeat(32)}`,
      inputs: [{ name: 'image', type: 'float32', shape: ['batch', 1, 28, 28] }],
      outputs: [{ name: 'logits', type: 'float32', shape: ['batch', 10] }],
      notes: ['The last layer is no softmax: its output was read as logits.'],
    },
    data: {
      digest: `sha256:${'a7'.repeat(32)}`,
      n: 1000,
      description: 'MNIST test images, the first 1,000',
      notes: ['0–255 was scaled to 0–1.'],
      classNames: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    },
    seed: 7,
    environment: {
      glacis: '0.1.0',
      onnxruntime: '1.30.0',
      node: '24.21.0',
      os: 'Linux 6.1 x64',
      cpu: 'Example CPU @ 2.60GHz',
      threads: 2,
      device: 'cpu',
    },
    command:
      "glacis assess mnist-cnn-adv.onnx --data mnist.npz --n 1000 --eps 0.1,0.2,0.3 --attacks 'fgsm,pgd' --seed 7",
    startedAt: '2026-11-21T08:00:00.000Z',
    finishedAt: '2026-11-21T08:00:21.500Z',
    results: [
      sampleResult('fgsm', 0.1, [938, 977, 1000]),
      sampleResult('fgsm', 0.2, [871, 977, 1000]),
      sampleResult('fgsm', 0.3, [789, 977, 1000]),
      sampleResult('pgd', 0.1, [929, 977, 1000]),
      sampleResult('pgd', 0.2, [824, 977, 1000]),
      sampleResult('pgd', 0.3, [675, 977, 1000], {
        confusion: {
          classes: 10,
          cells: [
            [4, 9, 61],
            [7, 2, 33],
            [4, 4, 600],
          ],
        },
      }),
    ],
    worstCases: [
      sampleWorstCase(0.1, [929, 977, 1000]),
      sampleWorstCase(0.2, [823, 977, 1000]),
      sampleWorstCase(0.3, [674, 977, 1000]),
    ],
    findings: [
      {
        id: 'evasion/low-robust-accuracy',
        title: 'A third of the right answers can be changed',
        severity: 'high',
        taxonomy: { atlas: ['AML.T0043', 'AML.T0015'], owasp: ['ML01:2023'], nist: ['NISTAML.022'] },
        evidence: 'At eps 0.3 (Linf), 303 of 977 right answers were changed; robust accuracy 67.4 %.',
        remedy: 'Train on attacked samples (glacis harden) with the budget that the model must stand.',
      },
    ],
    ...more,
  };
}
