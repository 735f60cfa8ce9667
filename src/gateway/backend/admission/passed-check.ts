/** A check that a model passed: goes to the log. */
export interface PassedCheck {
  readonly check: 'digest' | 'signature' | 'gate' | 'registry' | 'as-given';
  /** Who or what vouches: a key, a stage, an alias with its approvers. */
  readonly by: string;
}

/** What a check of a model found. */
export type CheckResult =
  | {
      readonly passed: PassedCheck;
      /** Names of the files that it speaks of; all where absent. */
      readonly covered?: ReadonlySet<string>;
    }
  | { readonly failed: string };
