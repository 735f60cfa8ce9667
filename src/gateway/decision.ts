import type { AttributionMethod } from '../explain/attributions.ts';
import type { Detail } from './detail.ts';
import type { Action } from './guard.ts';
import type { Refusal } from './refusal.ts';

/** What a guard said, for the log. */
export interface GuardRecord {
  readonly guard: string;
  readonly action: Action;
  readonly score: number;
  readonly because?: string | undefined;
}

/** A decision about a call, as it goes to the log: no payload, no secret. The recorder adds the salted commitments. */
export interface Decision {
  readonly kind: 'decision';
  /** 128 random bits, hexadecimal. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly principal: string | undefined;
  readonly tenant: string | undefined;
  readonly credential: string | undefined;
  /** The remote address. */
  readonly address: string;
  readonly model: string;
  readonly version: string | undefined;
  /** The digest of the model that answered; undefined where none did. */
  readonly digest: string | undefined;
  readonly n: number;
  readonly outcome: 'answered' | Refusal;
  /** Why it was refused, held or degraded: for the operator. */
  readonly because?: string | undefined;
  readonly detail?: Detail | undefined;
  readonly guards: readonly GuardRecord[];
  /** Shape and statistics of the main input, over the whole batch. */
  readonly input?:
    | {
        readonly shape: readonly number[];
        readonly mean: number;
        readonly deviation: number;
        readonly least: number;
        readonly most: number;
      }
    | undefined;
  /** Likeliest class and its score of each sample, up to 64 samples. */
  readonly top?: readonly (readonly [label: number, score: number])[] | undefined;
  /** How the answer was explained, where it was: the caller has a gradient of the model. */
  readonly explained?: AttributionMethod | undefined;
  /** Disagreement with the verifying model, where it was asked. */
  readonly divergence?: number | undefined;
  /**
   * This entry stands for so many refusals alike of the same caller, itself included: how many, with how many samples, since when (milliseconds since 1970), and the SHA-256 of
   * their ids one after the other, in hexadecimal.
   */
  readonly gathered?:
    | {
        readonly count: number;
        readonly ids: string;
        readonly samples: number;
        readonly since: number;
      }
    | undefined;
  /** Milliseconds from arrival to answer, rounded up to the next of 1, 2, 5, 10, 20, 50 … */
  readonly bucket: number;
}

/** Something else that the log must know: a management act, a policy change, a model load, a start, a stop. */
export interface Event {
  readonly kind: 'event';
  readonly at: number;
  /** What happened: `model-loaded`, `key-created`, `policy-changed`, `review-decided`, `server-started` … */
  readonly event: string;
  /** Who did it: an operator's principal, or `glacis`. */
  readonly by: string;
  /** What about, in plain JSON; no secret. */
  readonly about: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}
