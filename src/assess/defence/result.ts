import type { PairedCounts } from '../../core/statistics/difference.ts';
import type { Norm } from '../../threat/norm.ts';
import type { Calibration } from '../calibration/calibration.ts';
import type { Rate } from '../compare/comparison.ts';
import type { DataSummary, Environment } from '../result.ts';

/**
 * The shape of what `glacis defend --data` found: a model before and after it was defended, under attackers who know more and more of the
 * defence. All of it is plain JSON; `result-json.ts` writes and reads it with checks.
 */

/** The version of the format, as the field `schema` carries it. */
export const DEFENCE_SCHEMA = 'glacis.defence/1';

/**
 * Who attacks the defended model: nobody; someone with examples made on the undefended model; someone who takes its gradient as it is;
 * someone who passes its steps straight through and averages over its draws; someone who does so and looks at margins, which no scale of
 * the logits hides; someone who only asks; and the best of them sample by sample.
 */
export const ATTACKERS = ['clean', 'unaware', 'direct', 'adaptive', 'margin', 'asking', 'worst'] as const;

/** One of {@link ATTACKERS}. */
export type Attacker = (typeof ATTACKERS)[number];

/** How often both models are right under one attacker, on the same samples. */
export interface DefenceRow {
  readonly attacker: Attacker;
  /** The attack on the defended model with the options that differ from its defaults; none for `clean` and `worst`. */
  readonly attack?: string;
  /** The undefended model under the same attack, made for it. */
  readonly undefended: Rate;
  readonly defended: Rate;
  /** The defended model's accuracy minus the undefended one's. */
  readonly difference: number;
  /** Newcombe's 95 % interval of `difference`. */
  readonly interval: readonly [low: number, high: number];
  readonly pairs: PairedCounts;
  /** McNemar's exact test, two-sided. */
  readonly p: number;
}

/** What the detector makes of the examples of one attacker. */
export interface DetectorRow {
  readonly attacker: Exclude<Attacker, 'clean' | 'worst'> | 'detector-aware';
  /** Samples that both the defended model gets right and the detector lets through before the attack. */
  readonly n: number;
  /** Of the `n`, examples that the defended model gets wrong. */
  readonly fooled: number;
  /** Of the `fooled`, those that the detector rejects. */
  readonly rejected: number;
}

/** What the detector does. */
export interface DetectorResult {
  readonly squeezers: readonly string[];
  readonly threshold: number;
  /** What the threshold was chosen for, and on how many other samples. */
  readonly falsePositiveRate: number;
  readonly samples: number;
  /** How often clean samples are let through. */
  readonly passed: Rate;
  readonly rows: readonly DetectorRow[];
}

/** The temperature that the defended model's logits are divided by, and what it changed on samples that it was not fitted on. */
export interface TemperatureResult {
  readonly temperature: number;
  /** The samples set no limit (the model is right on all of them, say): nothing was changed. */
  readonly atLimit: boolean;
  /** Samples that it was fitted on. */
  readonly samples: number;
  readonly before: Calibration;
  readonly after: Calibration;
}

/** One of the two models. */
export interface DefenceModel {
  readonly name: string;
  readonly digest: string;
  readonly notes: readonly string[];
}

/** A whole evaluation, format `glacis.defence/1`. */
export interface DefenceEvaluation {
  readonly schema: typeof DEFENCE_SCHEMA;
  readonly undefended: DefenceModel;
  readonly defended: DefenceModel;
  /** In the order in which pictures go through them, as the defended file names them. */
  readonly defences: string;
  /** The defended model answers differently each time: each verdict is one answer. */
  readonly randomised: boolean;
  readonly data: DataSummary;
  readonly norm: Norm;
  /** Radius of the ball in the models' input units. */
  readonly eps: number;
  readonly seed: number;
  readonly environment: Environment;
  /** The command line that gives the same result. */
  readonly command?: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** `clean` first, `worst` last; `adaptive` only where the defended model has steps or draws at random. */
  readonly rows: readonly DefenceRow[];
  readonly detector?: DetectorResult;
  readonly temperature?: TemperatureResult;
}
