import type { PairedCounts } from '../../core/statistics/difference.ts';
import type { ResultNorm } from '../result.ts';

/**
 * The shape of what a comparison found: `glacis compare --json` writes it, the report and a pipeline read it. All of it
 * is plain JSON; `comparison-json.ts` writes and reads it with checks.
 */

/** The version of the format, as the field `schema` carries it. */
export const COMPARISON_SCHEMA = 'glacis.comparison/1';

/** A corrected p-value below this makes a difference. */
export const LEVEL = 0.05;

/** What a test says about a later model beside the first. There is no fourth word: equality is never shown. */
export const CONTRAST_VERDICTS = ['higher', 'lower', 'no difference shown'] as const;

/** One of {@link CONTRAST_VERDICTS}. */
export type ContrastVerdict = (typeof CONTRAST_VERDICTS)[number];

/** One of the assessments that were compared. */
export interface ComparedModel {
  /** `A` for the first, which the others are held against, then `B`, `C`, … */
  readonly label: string;
  readonly name: string;
  readonly digest: string;
  /** The result's file, as it was named. */
  readonly file: string;
  readonly status: 'complete' | 'partial';
  readonly seed: number;
  /** Version of Glacis that made the result. */
  readonly glacis: string;
  readonly startedAt: string;
  readonly data: { readonly digest: string; readonly description: string; readonly n: number };
}

/** How often one model is right. */
export interface Rate {
  readonly n: number;
  readonly right: number;
  /** `right / n`. */
  readonly accuracy: number;
  /** Exact (Clopper-Pearson) 95 % interval of `accuracy`. */
  readonly confidence: readonly [low: number, high: number];
}

/** One later model beside the first, in one row. */
export interface Contrast {
  /** Place of the later model among the models; 1 or more. */
  readonly model: number;
  /** The later model's accuracy minus the first one's, in [−1, 1]. */
  readonly difference: number;
  /** Newcombe's 95 % interval of `difference`. */
  readonly interval: readonly [low: number, high: number];
  /** Paired comparisons only: how the answers to the same samples fell together. */
  readonly pairs?: PairedCounts;
  /** McNemar's exact test, or Fisher's where the samples are unpaired; two-sided. */
  readonly p: number;
  /** McNemar's mid-p-value. */
  readonly midP?: number;
  /** McNemar's statistic with continuity correction, where enough pairs differ. */
  readonly chiSquare?: { readonly statistic: number; readonly p: number };
  /** `p` after Holm's correction over all contrasts of the comparison; the verdict rests on it. */
  readonly corrected: number;
  readonly verdict: ContrastVerdict;
}

/** One class of a row. */
export interface ClassRates {
  /** Its number. */
  readonly label: number;
  /** One entry a model. */
  readonly rates: readonly { readonly n: number; readonly right: number }[];
  /** One entry for each contrast of the row: a look at where the difference lies, not a test. */
  readonly differences: readonly {
    readonly difference: number;
    readonly interval: readonly [low: number, high: number];
  }[];
}

/** One line of the comparison. */
export interface ComparisonRow {
  /** `clean`: without an attack. `attack`: under one. `worst`: right only if every one of several attacks failed. */
  readonly kind: 'clean' | 'attack' | 'worst';
  /** The attacks behind it; none for `clean`. */
  readonly attacks: readonly string[];
  readonly norm?: ResultNorm;
  readonly eps?: number;
  /** One entry a model. */
  readonly rates: readonly Rate[];
  /** One entry for each model after the first. */
  readonly contrasts: readonly Contrast[];
  /** Where labels are classes, without an attack and for each budget's last row. */
  readonly classes?: readonly ClassRates[];
}

/** A whole comparison, format `glacis.comparison/1`. */
export interface Comparison {
  readonly schema: typeof COMPARISON_SCHEMA;
  /** Whether the same samples were answered by all models and compared one by one. */
  readonly paired: boolean;
  readonly glacis: string;
  /** Two or more; the first is the one that the others are held against. */
  readonly models: readonly ComparedModel[];
  /** Names of the classes by number, where known. */
  readonly classNames?: readonly string[];
  readonly rows: readonly ComparisonRow[];
  /** What is not the same on all sides and what else a reader should know, a sentence each. */
  readonly notes: readonly string[];
}
