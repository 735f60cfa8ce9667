import type { Norm } from '../../threat/norm.ts';
import type { DataSummary, Environment, Finding, JsonValue, TensorSummary } from '../result.ts';

/**
 * The shape of what `glacis transfer` found: examples made on each model, put through every other. All of it is plain JSON;
 * `result-json.ts` writes and reads it with checks.
 */

/** The version of the format, as the field `schema` carries it. */
export const TRANSFER_SCHEMA = 'glacis.transfer/1';

/** One of the models: a row where examples were made on it, always a column. */
export interface TransferModel {
  /** `A`, `B`, … in the order in which they were given. */
  readonly label: string;
  readonly name: string;
  /** Of the file's bytes; of an endpoint, which shows none, `endpoint:` and that of its address. */
  readonly digest: string;
  /** An endpoint or adapter shows its answers only: no examples are made on it. */
  readonly access: 'file' | 'endpoint';
  readonly inputs: readonly TensorSummary[];
  readonly outputs: readonly TensorSummary[];
  /** Clean samples that it was asked about, and how many it gets right. */
  readonly n: number;
  readonly right: number;
  readonly notes: readonly string[];
}

/** How often something fools a model. */
export interface FoolRate {
  /** Samples that count: those that the models concerned get right without an attack. */
  readonly n: number;
  /** Of the `n`, how many the model gets wrong then. */
  readonly fooled: number;
  /** `fooled / n`; `null` without samples. */
  readonly rate: number | null;
  /** Exact (Clopper-Pearson) 95 % interval of the rate. */
  readonly confidence: readonly [low: number, high: number];
}

/** What the examples of one model do to one model, itself perhaps; only samples that both get right before count. */
export interface TransferCell extends FoolRate {
  /** Of the `n`, how many examples fool the model that they were made on. */
  readonly fooledOwn: number;
  /** Of the `n`, how many fool both. */
  readonly fooledBoth: number;
  /** Of the `n`, how many a change at random of the same size takes from the column's model; absent in l0. */
  readonly fooledAtRandom?: number;
}

/** The examples made on one model. */
export interface TransferRow {
  /** Place of the model among the models. */
  readonly model: number;
  /** Samples from the first on that the row is about; fewer than the data's where it was stopped. */
  readonly n: number;
  /** Samples put through the model while its examples were made, and through its gradient. */
  readonly queries: number;
  readonly gradientQueries: number;
  /** Wall-clock seconds for making them. */
  readonly seconds: number;
  /** Examples that broke the threat model; the clean sample took their place. */
  readonly refused: number;
  /** One entry a model, in their order; the row's own model among them is the attack itself. */
  readonly cells: readonly TransferCell[];
}

/** A whole transfer matrix, format `glacis.transfer/1`. */
export interface Transfer {
  readonly schema: typeof TRANSFER_SCHEMA;
  /** `partial`: stopped before all rows were done; what is there is verified all the same. */
  readonly status: 'complete' | 'partial';
  /** Why it is partial, in a sentence. */
  readonly statusReason?: string;
  /** Two to twelve. */
  readonly models: readonly TransferModel[];
  readonly data: DataSummary;
  /** The attack that makes the examples, with all its options. It goes on after it has fooled its own model. */
  readonly attack: { readonly id: string; readonly options: { readonly [name: string]: JsonValue } };
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
  /** One for each model that examples were made on. */
  readonly rows: readonly TransferRow[];
  /**
   * What a change at random of the same size does to each model, in their order, over what it gets right: its frailty, and no
   * transfer. Absent in l0.
   */
  readonly noise?: readonly FoolRate[];
  /** File with the outcome of every sample, relative to the result's own folder. */
  readonly perSample: string;
  readonly findings: readonly Finding[];
  /** What else a reader should know, a sentence each. */
  readonly notes: readonly string[];
}
