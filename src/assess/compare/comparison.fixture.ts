import { clopperPearson } from '../../core/statistics/clopper-pearson.ts';
import type { PairedCounts } from '../../core/statistics/difference.ts';
import { holm } from '../../core/statistics/holm.ts';
import { COMPARISON_SCHEMA, type Comparison, type ComparisonRow } from './comparison.ts';
import { type OpenContrast, pairedContrast, type Rights } from './contrast.ts';

/** Answers of two models that fall together as `pairs` says. */
function answers({ both, onlyFirst, onlySecond, neither }: PairedCounts): readonly [Rights, Rights] {
  const of = (...parts: readonly (readonly [number, number])[]) =>
    Uint8Array.from(parts.flatMap(([count, value]) => new Array<number>(count).fill(value)));
  return [
    of([both, 1], [onlyFirst, 1], [onlySecond, 0], [neither, 0]),
    of([both, 1], [onlyFirst, 0], [onlySecond, 1], [neither, 0]),
  ];
}

/** A row of two models; its test is not corrected yet. */
export function sampleRow(
  row: Pick<ComparisonRow, 'kind' | 'attacks'> & Partial<Pick<ComparisonRow, 'norm' | 'eps'>>,
  pairs: readonly [both: number, onlyFirst: number, onlySecond: number, neither: number],
): { readonly row: Omit<ComparisonRow, 'contrasts'>; readonly contrast: OpenContrast } {
  const [both, onlyFirst, onlySecond, neither] = pairs;
  const [first, later] = answers({ both, onlyFirst, onlySecond, neither });
  const rate = (right: number) => {
    const n = first.length;
    return { n, right, accuracy: right / n, confidence: clopperPearson(right, n) };
  };
  return {
    row: { ...row, rates: [rate(both + onlyFirst), rate(both + onlySecond)] },
    contrast: pairedContrast(first, later),
  };
}

/** Rows with their tests corrected together. */
export function sampleRows(rows: readonly ReturnType<typeof sampleRow>[]): readonly ComparisonRow[] {
  const corrected = holm(rows.map(({ contrast }) => contrast.p));
  return rows.map(({ row, contrast }, i) => ({
    ...row,
    contrasts: [
      {
        model: 1,
        ...contrast,
        corrected: corrected[i]!,
        verdict:
          corrected[i]! < 0.05
            ? contrast.difference > 0
              ? ('higher' as const)
              : ('lower' as const)
            : ('no difference shown' as const),
      },
    ],
  }));
}

/** A small, well-formed comparison of two models for tests: 500 samples, two attacks at two budgets. */
export function sampleComparison(more: Partial<Comparison> = {}): Comparison {
  const model = (label: string, name: string, digit: string): Comparison['models'][number] => ({
    label,
    name,
    digest: `sha256:${digit.repeat(64)}`,
    file: `${name}/assessment.json`,
    status: 'complete',
    seed: 0,
    glacis: '0.1.0',
    startedAt: '2026-11-21T08:00:00.000Z',
    data: { digest: `sha256:${'a7'.repeat(32)}`, description: 'MNIST test images', n: 500 },
  });
  const rows = sampleRows([
    sampleRow({ kind: 'clean', attacks: [] }, [488, 5, 3, 4]),
    sampleRow({ kind: 'attack', attacks: ['fgsm'], norm: 'linf', eps: 0.1 }, [430, 12, 34, 24]),
    sampleRow({ kind: 'attack', attacks: ['pgd'], norm: 'linf', eps: 0.1 }, [402, 14, 51, 33]),
    sampleRow({ kind: 'worst', attacks: ['fgsm', 'pgd'], norm: 'linf', eps: 0.1 }, [400, 14, 50, 36]),
    sampleRow({ kind: 'attack', attacks: ['fgsm'], norm: 'linf', eps: 0.05 }, [462, 9, 14, 15]),
    sampleRow({ kind: 'attack', attacks: ['pgd'], norm: 'linf', eps: 0.05 }, [450, 10, 16, 24]),
    sampleRow({ kind: 'worst', attacks: ['fgsm', 'pgd'], norm: 'linf', eps: 0.05 }, [450, 10, 15, 25]),
  ]);
  return {
    schema: COMPARISON_SCHEMA,
    paired: true,
    glacis: '0.1.0',
    models: [model('A', 'mnist-cnn', '1'), model('B', 'mnist-cnn-adv', '2')],
    classNames: ['even', 'odd'],
    rows: rows.map((row) =>
      row.kind === 'worst' && row.eps === 0.1
        ? {
            ...row,
            classes: [
              {
                label: 0,
                rates: [
                  { n: 250, right: 210 },
                  { n: 250, right: 235 },
                ],
                differences: [{ difference: 0.1, interval: [0.05, 0.15] }],
              },
              {
                label: 1,
                rates: [
                  { n: 250, right: 204 },
                  { n: 250, right: 215 },
                ],
                differences: [{ difference: 0.044, interval: [-0.01, 0.1] }],
              },
            ],
          }
        : row,
    ),
    notes: ['Seed: 0 in A, 7 in B.'],
    ...more,
  };
}
