/** A decision of the past, as far as searches need it. Strings of callers in it are as they came. */
export interface PastDecision {
  /** Its place in the log. */
  readonly entry: number;
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Undefined where nobody was known, or where it is sealed and its key is gone. */
  readonly principal: string | undefined;
  readonly tenant: string | undefined;
  readonly credential?: string | undefined;
  readonly address?: string | undefined;
  readonly model: string;
  readonly version: string | undefined;
  readonly digest: string | undefined;
  readonly n: number;
  /** `answered`, or the name of a refusal. */
  readonly outcome: string;
  readonly because?: string | undefined;
  readonly detail?: string | undefined;
  readonly guards: readonly {
    readonly guard: string;
    readonly action: string;
    /** Null where it was no number. */
    readonly score: number | null;
    readonly because?: string | undefined;
  }[];
  /** Likeliest class and its score, of up to 64 samples. */
  readonly top?: readonly (readonly [label: number, score: number])[] | undefined;
  readonly divergence?: number | undefined;
}

/** Which decisions; all that is given must hold. */
export interface PastScope {
  readonly model?: string | undefined;
  readonly version?: string | undefined;
  readonly digest?: string | undefined;
  readonly principal?: string | undefined;
  readonly tenant?: string | undefined;
  /** From this time on, milliseconds since 1970. */
  readonly from?: number | undefined;
  /** Up to this time, itself included. */
  readonly to?: number | undefined;
}

/** A run of decisions in the order of the log. */
export interface PastPage {
  /** May hold some that do not fit the scope: an index may be coarser. */
  readonly decisions: readonly PastDecision[];
  /** Decisions that were looked at, also those that were left out. */
  readonly looked: number;
  /** Entries below it have been looked at. */
  readonly cursor: number;
  /** Entries that there may be in all, for progress. */
  readonly of: number;
  readonly isEnd: boolean;
}

/** Where decisions of the past are found: the log itself, or an index over it. */
export interface Past {
  /** The next decisions of a scope from entry `cursor` on, some thousands at a time. Errors: those of the log. */
  page(scope: PastScope, cursor: number, signal: AbortSignal): Promise<PastPage>;
  /** Decisions by their ids, as far as they are found. */
  find(ids: readonly string[], signal: AbortSignal): Promise<readonly PastDecision[]>;
}

/** Whether a decision is one that is asked about. */
export function isWithin(decision: PastDecision, scope: PastScope): boolean {
  const { model, version, digest, principal, tenant, from, to } = scope;
  return (
    (model === undefined || decision.model === model) &&
    (version === undefined || decision.version === version) &&
    (digest === undefined || decision.digest === digest) &&
    (principal === undefined || decision.principal === principal) &&
    (tenant === undefined || decision.tenant === tenant) &&
    decision.at >= (from ?? Number.NEGATIVE_INFINITY) &&
    decision.at <= (to ?? Number.POSITIVE_INFINITY)
  );
}

/** The strongest word of a guard about a decision. */
export function strongestGuard({ guards }: PastDecision): PastDecision['guards'][number] | undefined {
  const rank = (action: string) => ['pass', 'flag', 'degrade', 'refuse'].indexOf(action);
  return guards.reduce<PastDecision['guards'][number] | undefined>(
    (worst, each) => (worst === undefined || rank(each.action) > rank(worst.action) ? each : worst),
    undefined,
  );
}
