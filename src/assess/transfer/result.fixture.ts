import { clopperPearson } from '../../core/statistics/clopper-pearson.ts';
import { sampleAssessment } from '../result.fixture.ts';
import {
  type FoolRate,
  TRANSFER_SCHEMA,
  type Transfer,
  type TransferCell,
  type TransferModel,
} from './result.ts';

/** A rate with its interval. */
export function sampleRate(fooled: number, n: number): FoolRate {
  return { n, fooled, rate: n > 0 ? fooled / n : null, confidence: clopperPearson(fooled, n) };
}

/** A cell; of the `n`, `own` fool the model they were made on, `both` also the column's. */
export function sampleCell(
  [fooled, own, both, n]: readonly [number, number, number, number],
  fooledAtRandom = 0,
): TransferCell {
  return { ...sampleRate(fooled, n), fooledOwn: own, fooledBoth: both, fooledAtRandom };
}

/** A small, well-formed matrix for tests: two files and an endpoint, 200 samples. */
export function sampleTransfer(more: Partial<Transfer> = {}): Transfer {
  const { environment, startedAt, finishedAt } = sampleAssessment();
  const model = (label: string, name: string, right: number): TransferModel => ({
    label,
    name,
    digest: `sha256:${label.charCodeAt(0).toString(16).repeat(32)}`,
    access: 'file',
    inputs: [{ name: 'input', type: 'float32', shape: ['batch', 1, 28, 28] }],
    outputs: [{ name: 'logits', type: 'float32', shape: ['batch', 10] }],
    n: 200,
    right,
    notes: ['no softmax or sigmoid at the end: outputs were read as logits'],
  });
  return {
    schema: TRANSFER_SCHEMA,
    status: 'complete',
    models: [
      model('A', 'first.onnx', 198),
      model('B', 'second.onnx', 190),
      { ...model('C', 'service', 195), access: 'endpoint', notes: [] },
    ],
    data: {
      digest: `sha256:${'a7'.repeat(32)}`,
      n: 200,
      description: 'MNIST test images',
      notes: ['channel axis of 1 added in front'],
    },
    attack: { id: 'mi-fgsm', options: { steps: 10, decay: 1 } },
    norm: 'linf',
    eps: 0.1,
    seed: 0,
    environment,
    command: 'glacis transfer first.onnx second.onnx http://host/v2/models/service --data test.npz',
    startedAt,
    finishedAt,
    rows: [
      {
        model: 0,
        n: 200,
        queries: 2178,
        gradientQueries: 1980,
        seconds: 1.5,
        refused: 0,
        cells: [
          sampleCell([90, 90, 90, 198], 3),
          sampleCell([95, 85, 60, 189], 10),
          sampleCell([20, 88, 15, 194], 8),
        ],
      },
      {
        model: 1,
        n: 200,
        queries: 2090,
        gradientQueries: 1900,
        seconds: 1.25,
        refused: 2,
        cells: [
          sampleCell([5, 180, 5, 189], 3),
          sampleCell([181, 181, 181, 190], 10),
          sampleCell([150, 177, 148, 187], 8),
        ],
      },
    ],
    noise: [sampleRate(3, 198), sampleRate(10, 190), sampleRate(8, 195)],
    perSample: 'transfer.npz',
    findings: [
      {
        id: 'evasion/transferable-examples',
        title: 'Examples made on B fool C (service)',
        severity: 'high',
        taxonomy: { atlas: ['AML.T0043.002'], owasp: ['ML01:2023'], nist: ['NISTAML.025'] },
        evidence: 'made on B, 150 of 187.',
        remedy: 'Harden C itself.',
      },
    ],
    notes: ['A and B are the same model.'],
    ...more,
  };
}
