import type { PlannedAttack } from '../attack/registry.ts';
import type { Task } from '../threat/goal.ts';
import type { Norm } from '../threat/norm.ts';
import { type CellRecord, type CleanRecord, decidedPrefix } from './record.ts';
import type { Confusion, EvasionResult, JsonValue, WorstCase } from './result.ts';
import { clopperPearson } from './statistics/clopper-pearson.ts';

/** One attack at one eps, planned. */
export interface Cell {
  readonly plan: PlannedAttack;
  readonly eps: number;
  /** File of its per-sample outcomes. */
  readonly perSample: string;
}

/** What results are drawn from. */
export interface SummaryFacts {
  readonly task: Task;
  readonly classes: number;
  readonly norm: Norm;
  /** Labels, one a sample where the task has classes. */
  readonly labels: ArrayLike<number>;
  readonly clean: CleanRecord;
}

/** The result of a cell over the samples that are decided from the first on; `undefined` where there are none. */
export function resultOf(facts: SummaryFacts, cell: Cell, record: CellRecord): EvasionResult | undefined {
  const n = decidedPrefix(record);
  if (n === 0) return undefined;
  let right = 0;
  let robust = 0;
  for (let i = 0; i < n; i++) {
    right += facts.clean.correct[i]!;
    robust += facts.clean.correct[i]! && !record.success[i] ? 1 : 0;
  }
  const confusion = confusionOf(facts, n, (i) => record.prediction[i]!);
  return {
    suite: 'evasion',
    attack: cell.plan.attack.id,
    options: cell.plan.options as Readonly<Record<string, JsonValue>>,
    norm: facts.norm,
    eps: cell.eps,
    n,
    cleanAccuracy: right / n,
    robustAccuracy: robust / n,
    confidence: clopperPearson(robust, n),
    queries: record.queries,
    gradientQueries: record.gradientQueries,
    seconds: record.seconds,
    perSample: cell.perSample,
    ...(confusion && { confusion }),
    ...(n < record.decided.length && {
      notes: [`stopped early: the first ${n} of ${record.decided.length} samples`],
    }),
  };
}

/**
 * The pointwise worst case of all cells at one eps: robust is what survives every attack. Cells that have not begun are
 * left out; of those that have, only the samples that all have decided count.
 */
export function worstCaseOf(
  facts: SummaryFacts,
  cells: readonly { readonly cell: Cell; readonly record: CellRecord }[],
): WorstCase | undefined {
  const begun = cells.filter(({ record }) => decidedPrefix(record) > 0);
  const first = begun[0];
  if (!first) return undefined;
  const n = Math.min(...begun.map(({ record }) => decidedPrefix(record)));
  let right = 0;
  let robust = 0;
  const fell = (i: number) => begun.find(({ record }) => record.success[i]);
  for (let i = 0; i < n; i++) {
    right += facts.clean.correct[i]!;
    robust += facts.clean.correct[i]! && !fell(i) ? 1 : 0;
  }
  const confusion = confusionOf(facts, n, (i) => (fell(i)?.record ?? facts.clean).prediction[i]!);
  return {
    norm: facts.norm,
    eps: first.cell.eps,
    n,
    attacks: [...new Set(begun.map(({ cell }) => cell.plan.attack.id))],
    cleanAccuracy: right / n,
    robustAccuracy: robust / n,
    confidence: clopperPearson(robust, n),
    ...(confusion && { confusion }),
  };
}

/** Cells of the confusion matrix beyond which a report is no help and a file too large. */
const MOST_CLASSES = 1000;

function confusionOf(
  { task, classes, labels }: SummaryFacts,
  n: number,
  answer: (sample: number) => number,
): Confusion | undefined {
  if (task !== 'classification' && task !== 'binary') return undefined;
  const count = Math.max(2, classes);
  if (count > MOST_CLASSES) return undefined;
  const cells = new Map<number, number>();
  for (let i = 0; i < n; i++) {
    const key = labels[i]! * count + answer(i);
    cells.set(key, (cells.get(key) ?? 0) + 1);
  }
  return {
    classes: count,
    cells: [...cells]
      .sort(([a], [b]) => a - b)
      .map(([key, samples]) => [Math.floor(key / count), key % count, samples] as const),
  };
}
