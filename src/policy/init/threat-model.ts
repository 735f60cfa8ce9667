/** Who attacks. Each comes with what they want. */
export const ATTACKERS = {
  outsider: 'anybody who can send inputs, directly or by what a camera or a form sees',
  customer: 'a user with an account, who asks many questions at leisure',
  supplier: 'whoever makes models, data or packages that you take in',
  insider: 'somebody with access to your storage or your pipelines',
} as const;

/** What the attacker has of the model. */
export const ACCESSES = {
  labels: 'answers only, as class names',
  scores: 'answers with probabilities',
  model: 'the model file itself, as on a phone or with open weights',
  data: 'a part of the training data',
} as const;

/** What is at stake. */
export const STAKES = {
  comfort: 'a wrong answer is a nuisance',
  money: 'a wrong answer or a stolen model costs money',
  privacy: 'the training data are about people',
  safety: 'a wrong answer can hurt somebody',
} as const;

/** One of {@link ATTACKERS}. */
export type Attacker = keyof typeof ATTACKERS;
/** One of {@link ACCESSES}. */
export type Access = keyof typeof ACCESSES;
/** One of {@link STAKES}. */
export type Stake = keyof typeof STAKES;

/** The answers that a first policy is made from. */
export interface ThreatModel {
  readonly attackers: readonly Attacker[];
  readonly access: readonly Access[];
  readonly stakes: readonly Stake[];
  /** What a change of an input is measured in, and by how much; images in 0–1 unless said otherwise. */
  readonly norm: 'linf' | 'l2' | 'l1' | 'l0';
  /** As it is written in the policy, e.g. `8/255`. */
  readonly eps: string;
  /** Name pattern of the models. */
  readonly models: string;
  /** `sha256:` fingerprints by the signers' names; a place to fill in where there is none. */
  readonly signers: Readonly<Record<string, string>>;
}
