/**
 * The shape of what an assessment found: `glacis assess --json` writes it, the reports, the gate and signed evidence
 * read it. All of it is plain JSON; `result-json.ts` writes and reads it with checks.
 */

import { SEVERITIES, type Severity } from '../core/severity.ts';
import { THREAT_NORMS, type ThreatNorm } from '../threat/threat-norms.ts';
import type { CorruptionResult } from './corruption/result.ts';
import type { Generalisation } from './generalisation/generalisation.ts';
import type { Reliability } from './reliability/reliability.ts';

/** The version of the format, as the field `schema` carries it. */
export const ASSESSMENT_SCHEMA = 'glacis.assessment/1';

/** What a change of the input is measured in. */
export const RESULT_NORMS = THREAT_NORMS;

export { SEVERITIES, type Severity };

/** One of {@link RESULT_NORMS}. */
export type ResultNorm = ThreatNorm;

/** A value that JSON can hold; numbers are finite. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** One input or output of a model. */
export interface TensorSummary {
  readonly name: string;
  /** Element type, e.g. `float32`. */
  readonly type: string;
  /** Sizes; a text names a dimension that is free, e.g. `['batch', 3, 32, 32]`. */
  readonly shape: readonly (number | string)[];
}

/** The model that was assessed. */
export interface ModelSummary {
  /** What people call it, usually the file's name. */
  readonly name: string;
  /** Digest of the bytes that were loaded, e.g. `sha256:9f86d0…`. */
  readonly digest: string;
  readonly inputs: readonly TensorSummary[];
  readonly outputs: readonly TensorSummary[];
  /** What a reader should know, e.g. "no softmax at the end: outputs were read as logits". */
  readonly notes: readonly string[];
}

/** The samples that were attacked. */
export interface DataSummary {
  readonly digest: string;
  /** How many samples were used. */
  readonly n: number;
  /** Where they come from, in a few words. */
  readonly description: string;
  /** What was done to them, e.g. "0–255 scaled to 0–1; channel axis added". */
  readonly notes: readonly string[];
  /** Names of the classes by index, where known. */
  readonly classNames?: readonly string[];
}

/** What the assessment ran on. */
export interface Environment {
  /** Version of Glacis. */
  readonly glacis: string;
  /** Version of ONNX Runtime. */
  readonly onnxruntime: string;
  /** Version of Node. */
  readonly node: string;
  readonly os: string;
  /** The processor's name as the system tells it. */
  readonly cpu: string;
  readonly threads: number;
  /** Execution provider, e.g. `cpu`. */
  readonly device: string;
}

/** Which class was answered for which, over all `n` samples, under attack. Only cells that are not zero are kept. */
export interface Confusion {
  /** Number of classes. */
  readonly classes: number;
  /** `[label, answer under attack, samples]`; both classes in [0, classes), samples ≥ 1. */
  readonly cells: readonly (readonly [label: number, answer: number, samples: number])[];
}

/** The quarter, half and three-quarter points of some numbers. */
export type Quartiles = readonly [lower: number, median: number, upper: number];

/** Distances of the nearest examples that a minimum-norm attack found. */
export interface MinimumNorm {
  /** Samples that were right before the attack. */
  readonly n: number;
  /** How many of them fell, at whatever distance. */
  readonly found: number;
  /** Over all `n`; `null` where so many never fell that the point is not known. */
  readonly quartiles: readonly [lower: number | null, median: number | null, upper: number | null];
}

/** What one attack with one budget did to the model; verified by running the model again on every example. */
export interface EvasionResult {
  readonly suite: 'evasion';
  /** The attack's id, e.g. `pgd`. */
  readonly attack: string;
  /** All options that it ran with, defaults included. */
  readonly options: { readonly [name: string]: JsonValue };
  readonly norm: ResultNorm;
  /** Radius of the ball in the model's input units, or the size of another threat. */
  readonly eps: number;
  /** Samples attacked. */
  readonly n: number;
  /** Fraction of the `n` that the model gets right before the attack. */
  readonly cleanAccuracy: number;
  /** Fraction of the `n` that it still gets right; wrong from the start counts as not robust. */
  readonly robustAccuracy: number;
  /** Exact (Clopper-Pearson) 95 % interval of `robustAccuracy`. */
  readonly confidence: readonly [low: number, high: number];
  /** Samples put through the model (forward passes) in all. */
  readonly queries: number;
  /** Samples put through the model's gradient in all; absent for attacks that use none. */
  readonly gradientQueries?: number;
  /** Wall-clock seconds. */
  readonly seconds: number;
  /** File with the outcome of every sample, relative to the result's own folder. */
  readonly perSample: string;
  /** Of a minimum-norm attack: how near the nearest examples are. */
  readonly minimum?: MinimumNorm;
  /** Queries about a sample until it fell, over those that fell. */
  readonly queriesToSuccess?: Quartiles;
  /** Seconds from the attack's beginning until a sample fell, over those that fell; samples are attacked in batches, side by side. */
  readonly secondsToSuccess?: Quartiles;
  /** How many samples fell to each part, where the attack has parts, in the order in which they ran. */
  readonly parts?: readonly { readonly attack: string; readonly fell: number }[];
  readonly confusion?: Confusion;
  /** What a reader should know about this run, e.g. a sign of gradient masking. */
  readonly notes?: readonly string[];
}

/** The pointwise worst case at one budget: a sample counts as robust only if *every* attack failed on it. */
export interface WorstCase {
  readonly norm: ResultNorm;
  readonly eps: number;
  readonly n: number;
  /** Ids of the attacks that were joined. */
  readonly attacks: readonly string[];
  readonly cleanAccuracy: number;
  readonly robustAccuracy: number;
  /** Exact (Clopper-Pearson) 95 % interval of `robustAccuracy`. */
  readonly confidence: readonly [low: number, high: number];
  readonly confusion?: Confusion;
}

/** Robust accuracy against eps in one norm, from the nearest example that any attack found for each sample. */
export interface SecurityCurve {
  readonly norm: ResultNorm;
  readonly n: number;
  /** `[eps, robust accuracy from there on]`, eps rising; the first is `[0, clean accuracy]`. */
  readonly points: readonly (readonly [eps: number, accuracy: number])[];
  /** The eps at which half of the right answers are gone; `null` where fewer fell. */
  readonly halving: number | null;
}

/** Something that a reader should act on or know. */
export interface Finding {
  /** Stable id, e.g. `evasion/low-robust-accuracy`. */
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  /** Ids in MITRE ATLAS, OWASP Machine Learning Top 10 and NIST AI 100-2, e.g. `AML.T0043`. */
  readonly taxonomy: {
    readonly atlas: readonly string[];
    readonly owasp: readonly string[];
    readonly nist: readonly string[];
  };
  /** What was seen, with figures. */
  readonly evidence: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** What targeted attacks wanted. */
export interface TowardsSummary {
  /** The number of a class, or how each sample's was chosen: `least-likely`, `random`, `next`. */
  readonly choice: string;
  /** Samples that were right before and are not of the target class already. */
  readonly attacked: number;
}

/** A whole assessment, format `glacis.assessment/1`. */
export interface Assessment {
  readonly schema: typeof ASSESSMENT_SCHEMA;
  /** `partial`: stopped before all was done; what is there is verified all the same. */
  readonly status: 'complete' | 'partial';
  /** Why it is partial, in a sentence. */
  readonly statusReason?: string;
  readonly model: ModelSummary;
  readonly data: DataSummary;
  readonly seed: number;
  /**
   * Where targeted attacks led, and how many samples. An answer counts as changed only where it became the target, so that the figures say
   * nothing of robustness against other changes. Absent where attacks led away from the label.
   */
  readonly towards?: TowardsSummary;
  readonly environment: Environment;
  /** The command line that gives the same result. */
  readonly command?: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly results: readonly EvasionResult[];
  /** One entry per (norm, eps). */
  readonly worstCases: readonly WorstCase[];
  /** One a norm, where an attack found how near examples are. */
  readonly curves?: readonly SecurityCurve[];
  /** What common corruptions did, where they were run. */
  readonly corruption?: CorruptionResult;
  /** How far the figures can be trusted, at the largest eps. */
  readonly reliability?: Reliability;
  /** How the model treats its training data, where they were given. */
  readonly generalisation?: Generalisation;
  readonly findings: readonly Finding[];
}
