import type { ThreatNorm } from '../../threat/threat-norms.ts';

/** A measured share with its exact 95 % interval. */
export interface Measured {
  readonly value: number;
  /** Both ends equal the value where the evidence gives no interval and none is needed (a proof). */
  readonly confidence: readonly [low: number, high: number];
}

/** An attack that was run, with the options it ran with. */
export interface AttackRun {
  readonly attack: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What a statement says about a model, in the terms that requirements are written in. Each kind answers one kind of requirement. */
export type Claim =
  | { readonly kind: 'scan'; readonly verdict: string }
  | { readonly kind: 'secrets'; readonly found: number; readonly unread: number }
  | {
      readonly kind: 'cleanAccuracy';
      readonly accuracy: Measured;
      readonly samples: number;
      readonly data?: string | undefined;
    }
  | {
      readonly kind: 'robustAccuracy';
      readonly norm: ThreatNorm;
      readonly eps: number;
      readonly accuracy: Measured;
      readonly samples: number;
      readonly attacks: readonly AttackRun[];
      readonly data?: string | undefined;
    }
  | {
      readonly kind: 'certifiedAccuracy';
      readonly norm: ThreatNorm;
      readonly eps: number;
      readonly accuracy: Measured;
      readonly samples: number;
      readonly data?: string | undefined;
    }
  | {
      readonly kind: 'membershipInference';
      readonly attack: AttackRun;
      readonly fpr: number;
      readonly tpr: Measured;
      readonly samples: number;
    }
  | {
      readonly kind: 'extraction';
      readonly attack: AttackRun;
      readonly fidelity: Measured;
      readonly queries: number;
    }
  | {
      readonly kind: 'backdoor';
      readonly method: string;
      readonly verdict: 'none-found' | 'suspected' | 'found' | 'inconclusive';
    }
  | { readonly kind: 'privateTraining'; readonly epsilon: number; readonly delta: number }
  | { readonly kind: 'findings'; readonly severities: readonly string[] }
  | { readonly kind: 'provenance'; readonly builder: string; readonly sources: readonly string[] };

/** The kinds of {@link Claim}. */
export type ClaimKind = Claim['kind'];

/** A statement's content, read: what it says, of when, and of which bytes. */
export interface Reading {
  readonly claims: readonly Claim[];
  /** Milliseconds since 1970; `undefined` where it does not say, so that nobody can tell how old it is. */
  readonly time: number | undefined;
  /** Digest of the file that was looked at, where the document names one beside the statement's subject. */
  readonly looked?: string | undefined;
  /** Digests of all that was looked at, of files or of models as a whole, where the document says them. */
  readonly covered?: readonly string[] | undefined;
  /** Where the statement itself says no, whatever it is asked for as. */
  readonly refuses?: string | undefined;
  /** What a reader of a refusal should know, e.g. "the assessment is partial". */
  readonly notes: readonly string[];
}
