import type { PlannedAttack } from '../attack/registry.ts';
import { clopperPearson } from '../core/statistics/clopper-pearson.ts';
import type { Task } from '../threat/goal.ts';
import type { Norm } from '../threat/norm.ts';
import { isWithin } from '../threat/violation.ts';
import { NO_ANSWER } from './prediction.ts';
import { type CellRecord, type CleanRecord, decidedPrefix, isAttacked } from './record.ts';
import type {
  Confusion,
  EvasionResult,
  JsonValue,
  MinimumNorm,
  Quartiles,
  ResultNorm,
  WorstCase,
} from './result.ts';

/** One run of an attack, planned. */
export interface Cell {
  readonly plan: PlannedAttack;
  /** What its budget is measured in. */
  readonly measure: ResultNorm;
  /** The budget that it runs with; of a minimum-norm attack the largest one of interest. */
  readonly eps: number;
  /** The budgets that it gives a result for: its own, or all of them where it looks for the nearest example. */
  readonly radii: readonly number[];
  /** File of its per-sample outcomes. */
  readonly perSample: string;
  /** What a reader should know about this run. */
  readonly note?: string;
}

/** What results are drawn from. */
export interface SummaryFacts {
  readonly task: Task;
  readonly classes: number;
  readonly bounds: readonly [number, number];
  /** Labels, one a sample where the task has classes. */
  readonly labels: ArrayLike<number>;
  readonly clean: CleanRecord;
}

/** The results of a cell, one a radius, over the samples that are decided from the first on; none where there are none. */
export function resultsOf(facts: SummaryFacts, cell: Cell, record: CellRecord): readonly EvasionResult[] {
  return decidedPrefix(record) > 0 ? cell.radii.map((eps) => resultAt(facts, cell, record, eps)) : [];
}

function resultAt(facts: SummaryFacts, cell: Cell, record: CellRecord, eps: number): EvasionResult {
  const n = decidedPrefix(record);
  const { attack, options } = cell.plan;
  const fell = (i: number) => fellAt(facts, cell, record, i, eps);
  let right = 0;
  let robust = 0;
  for (let i = 0; i < n; i++) {
    right += facts.clean.correct[i]!;
    robust += facts.clean.correct[i]! && !fell(i) ? 1 : 0;
  }
  const answer = (i: number) => (fell(i) ? record : facts.clean).prediction[i]!;
  const confusion = confusionOf(facts, n, answer);
  const silent = confusion ? n - confusion.cells.reduce((sum, [, , samples]) => sum + samples, 0) : 0;
  const notes = [
    ...(cell.note ? [cell.note] : []),
    ...(n < record.decided.length
      ? [`stopped early: the first ${n} of ${record.decided.length} samples`]
      : []),
    ...(silent > 0 ? [`${silent} answers were no numbers: they count as wrong, and as no class`] : []),
  ];
  const used = Array.from({ length: n }, (_, i) => i).filter((i) => fell(i) && record.asked[i]! > 0);
  return {
    suite: 'evasion',
    attack: attack.id,
    options: options as Readonly<Record<string, JsonValue>>,
    norm: cell.measure,
    eps,
    n,
    cleanAccuracy: right / n,
    robustAccuracy: robust / n,
    confidence: clopperPearson(robust, n),
    queries: record.queries,
    gradientQueries: record.gradientQueries,
    seconds: record.seconds,
    perSample: cell.perSample,
    ...(attack.seeks === 'minimum' && { minimum: minimumOf(facts, record, n) }),
    ...(used.length > 0 && {
      queriesToSuccess: quartiles(used.map((i) => record.asked[i]!)),
      secondsToSuccess: quartiles(used.map((i) => record.took[i]!)),
    }),
    ...(attack.parts && { parts: partsOf(attack.parts, record, n, fell) }),
    ...(confusion && { confusion }),
    ...(notes.length > 0 && { notes }),
  };
}

/**
 * The pointwise worst case at one eps of all cells that give a result for it: robust is what survives every attack. Cells that have not begun are
 * left out; of those that have, only the samples that all have decided count.
 */
export function worstCaseOf(
  facts: SummaryFacts,
  eps: number,
  cells: readonly { readonly cell: Cell; readonly record: CellRecord }[],
): WorstCase | undefined {
  const begun = cells.filter(({ record }) => decidedPrefix(record) > 0);
  const first = begun[0];
  if (!first) return undefined;
  const n = Math.min(...begun.map(({ record }) => decidedPrefix(record)));
  let right = 0;
  let robust = 0;
  const fell = (i: number) => begun.find(({ cell, record }) => fellAt(facts, cell, record, i, eps));
  for (let i = 0; i < n; i++) {
    right += facts.clean.correct[i]!;
    robust += facts.clean.correct[i]! && !fell(i) ? 1 : 0;
  }
  const confusion = confusionOf(facts, n, (i) => (fell(i)?.record ?? facts.clean).prediction[i]!);
  return {
    norm: first.cell.measure,
    eps,
    n,
    attacks: [...new Set(begun.map(({ cell }) => cell.plan.attack.id))],
    cleanAccuracy: right / n,
    robustAccuracy: robust / n,
    confidence: clopperPearson(robust, n),
    ...(confusion && { confusion }),
  };
}

/** Whether a sample fell within `eps`. A cell that looks for the nearest example knows it for every radius. */
export function fellAt(
  { bounds }: Pick<SummaryFacts, 'bounds'>,
  { plan, measure }: Cell,
  record: CellRecord,
  i: number,
  eps: number,
): boolean {
  if (!record.success[i]) return false;
  return (
    plan.attack.seeks !== 'minimum' || isWithin({ norm: measure as Norm, eps, bounds }, record.distance[i]!)
  );
}

function minimumOf({ clean }: SummaryFacts, record: CellRecord, n: number): MinimumNorm {
  const right = Array.from({ length: n }, (_, i) => i).filter((i) => isAttacked(clean, i));
  const distances = right.map((i) => (record.success[i] ? record.distance[i]! : Number.POSITIVE_INFINITY));
  const [lower, median, upper] = quartiles(distances).map((d) => (Number.isFinite(d) ? d : null));
  return {
    n: right.length,
    found: distances.filter(Number.isFinite).length,
    quartiles: [lower ?? null, median ?? null, upper ?? null],
  };
}

/** The quarter, half and three-quarter points: of an even number, the lower of the middle two, so that each is one of the values. */
function quartiles(values: readonly number[]): Quartiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return [at(0.25), at(0.5), at(0.75)];
}

function partsOf(parts: readonly string[], record: CellRecord, n: number, fell: (i: number) => boolean) {
  const counts = parts.map((attack) => ({ attack, fell: 0 }));
  for (let i = 0; i < n; i++) {
    const part = counts[record.by[i]! - 1];
    if (part && fell(i)) part.fell++;
  }
  return counts;
}

/** Cells of the confusion matrix beyond which a report is no help and a file too large. */
const MOST_CLASSES = 1000;

/** Samples by label and answer; those without an answer are left out. */
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
    if (answer(i) === NO_ANSWER) continue;
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
