/** States of a review: `released` lets the same call through when it comes again, `refused` does not; an `expired` one was never decided. */
export const REVIEW_STATES = ['open', 'released', 'refused', 'expired'] as const;

/** One of {@link REVIEW_STATES}. */
export type ReviewState = (typeof REVIEW_STATES)[number];

/** What a person said about a review. */
export interface ReviewVote {
  /** The operator's principal. */
  readonly by: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly verdict: 'release' | 'refuse' | 'comment';
  readonly comment?: string | undefined;
}

/** A held decision. */
export interface Review {
  /** The decision's id. */
  readonly id: string;
  readonly at: number;
  /** Whose call it was. */
  readonly principal: string;
  readonly tenant: string;
  readonly model: string;
  readonly version: string;
  readonly digest: string;
  readonly divergence: number;
  /** What the two models said, of up to 16 samples, the worst first. */
  readonly samples: readonly ReviewSample[];
  /** Samples of the call. */
  readonly n: number;
  readonly state: ReviewState;
  readonly votes: readonly ReviewVote[];
  /** Counts the votes: who votes names the one they saw. */
  readonly revision: number;
  readonly expires: number;
}

/** What the two models said of one sample. */
export interface ReviewSample {
  readonly index: number;
  readonly divergence: number;
  readonly first: readonly [label: number, score: number];
  readonly second: readonly [label: number, score: number];
}

/** The queue, as operators see it. */
export interface Reviews {
  /** The newest first; `most` up to 1,000. */
  list(filter: {
    readonly state?: ReviewState | undefined;
    readonly model?: string | undefined;
    readonly principal?: string | undefined;
    readonly tenant?: string | undefined;
    /** Only reviews from before this time: that of the last of the page before. */
    readonly before?: number | undefined;
    readonly most?: number | undefined;
  }): Promise<readonly Review[]>;
  find(id: string): Promise<Review | undefined>;
  /**
   * Adds a vote, recorded before it counts. One `refuse` refuses; as many `release` by different persons as the policy asks for
   * release. Nobody votes on their own call, or twice. Errors: `option/invalid` (no such review, no right to vote, a comment that
   * is empty or too long), `store/conflict` where somebody else was quicker (look again), `output/unwritable` and
   * `store/unavailable` (nothing has changed).
   */
  decide(
    id: string,
    vote: {
      readonly by: string;
      readonly verdict: ReviewVote['verdict'];
      readonly comment?: string | undefined;
      /** The review's `revision` that the person saw. */
      readonly revision: number;
    },
  ): Promise<Review>;
}

/** The queue, as the verifier fills it. */
export interface ReviewQueue {
  /** `there`: the same call waits already. `full`: nothing was added. */
  add(review: NewReview): Promise<'added' | 'there' | 'full'>;
  /** What persons said about the same call before; undefined where nobody has, or too long ago. */
  outcome(subject: string): Promise<'released' | 'refused' | undefined>;
}

/** A review before anybody has looked at it. */
export interface NewReview extends Omit<Review, 'state' | 'votes' | 'revision' | 'expires'> {
  /** Stands for principal, model and inputs: who asks the same again has the same. */
  readonly subject: string;
}
