import type { Claim } from '../evidence/claim.ts';
import type { RequirementKind } from '../schema/requirements.ts';

/** The version of the format, as the field `schema` carries it. */
export const GATE_SCHEMA = 'glacis.gate/1';

/** Why a statement did not count. */
export type RejectCode =
  /** Signed by somebody whom the requirement does not name. */
  | 'signer'
  /** About another file than those of the model. */
  | 'other-file'
  /** It does not say when it was made. */
  | 'undated'
  /** Made after now: a clock is wrong, or it is made up. */
  | 'future'
  /** Older than the policy allows. */
  | 'stale'
  /** It says too little: another threat, too few samples, attacks that were not run. */
  | 'insufficient';

/** A statement that is about the matter and did not count. */
export interface Rejected {
  readonly file: string;
  readonly code: RejectCode;
  readonly why: string;
}

/** A statement that an answer rests on. */
export interface Shown {
  readonly file: string;
  /** `sha256:` of the file. */
  readonly digest: string;
  /** The signer's name in the policy. */
  readonly signer: string;
  /** When it was made, ISO 8601, where it says so. */
  readonly time?: string;
}

/** How a requirement stands. */
export type State = 'met' | 'not-met' | 'missing' | 'excepted';

/** The answer to one requirement. */
export interface Answer {
  readonly id: string;
  /** `policy` where no requirement could be found for the model. */
  readonly require: RequirementKind | 'policy';
  /** The entry of the policy that it comes from: its name pattern or digest. */
  readonly entry: string;
  /** What is required, in a sentence. */
  readonly says: string;
  readonly state: State;
  /** Why it stands so, in a sentence. */
  readonly why: string;
  /** The statements that show it; several for signatures. */
  readonly shownBy: readonly Shown[];
  /** Statements on the matter that did not count. */
  readonly rejected: readonly Rejected[];
  /** Of `excepted`, and of one that has ended. */
  readonly exception?: { readonly reason: string; readonly owner: string; readonly until: string };
  /** How it would stand without the exception. */
  readonly otherwise?: Exclude<State, 'excepted'>;
}

/** What became of one requirement, before exceptions. */
export type Outcome = Pick<Answer, 'state' | 'why' | 'shownBy' | 'rejected'>;

/** A statement that counts for nothing in any requirement. */
export interface Ignored {
  readonly file: string;
  readonly why: string;
}

/** What the gate decided. Plain JSON. */
export interface Decision {
  readonly schema: typeof GATE_SCHEMA;
  readonly model: { readonly name: string; readonly digests: readonly string[] };
  readonly stage: string;
  /** The time that it decided for, ISO 8601. */
  readonly at: string;
  /** `let-through` only when every requirement is met or excepted, and there is at least one. */
  readonly decision: 'let-through' | 'refused';
  readonly requirements: readonly Answer[];
  readonly ignored: readonly Ignored[];
}

/** A claim of one kind. */
export type ClaimOf<K extends Claim['kind']> = Extract<Claim, { readonly kind: K }>;
