import type { PastDecision, PastScope } from '../past.ts';

/** Which decisions are asked about; all that is given must hold. */
export interface ImpactScope extends PastScope {
  /** A feed that was poisoned, as the decisions name it. */
  readonly feed?: string | undefined;
  /** Digest of data that a model was trained on: all models whose provenance names it. */
  readonly data?: string | undefined;
}

/** How far a search is, without its rows. */
export interface ImpactSummary {
  readonly id: string;
  readonly case?: string | undefined;
  readonly state: 'running' | 'done' | 'failed';
  readonly because?: string | undefined;
  readonly scope: ImpactScope;
  /** The good version that inputs are replayed against. */
  readonly against?: string | undefined;
  /** The log that is searched. */
  readonly log: string;
  /** Who asked. */
  readonly by: string;
  readonly at: number;
  /** Entries of the log that were passed, of so many. */
  readonly progress: readonly [done: number, of: number];
  /** Decisions looked at, affected, replayed, and different when replayed. */
  readonly looked: number;
  readonly affected: number;
  readonly replayed: number;
  readonly different: number;
  /** Affected ones whose inputs were not kept, or whose key is gone. */
  readonly unkept: number;
  /** Whom it met, the most first, 100 at most; `others`: decisions of those beyond what is counted one by one. */
  readonly principals: readonly {
    readonly principal: string;
    readonly decisions: number;
    readonly different: number;
  }[];
  readonly others: number;
  /** Digests of the models that the scope means. */
  readonly digests: readonly string[];
  readonly bundle?: { readonly digest: string; readonly bytes: number } | undefined;
}

/** An affected decision, with what a good model says of it now. */
export interface AffectedDecision extends PastDecision {
  readonly now?: readonly (readonly [label: number, score: number])[] | undefined;
  readonly different: boolean;
}

/** Likeliest class and score of each sample; undefined where the input of a decision is not at hand. */
export type Replayed = readonly (readonly [label: number, score: number])[] | undefined;

/** A good model that past inputs are put to. */
export interface Replay {
  /** One result for each decision, in order. Errors: those of the model, `vault/…`. */
  run(decisions: readonly PastDecision[], signal: AbortSignal): Promise<readonly Replayed[]>;
  close(): Promise<void>;
}
