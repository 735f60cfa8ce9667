import type { Severity } from '../finding/finding.ts';

/**
 * One kind of secret. Every match begins at one of a few literals, the anchors: the matcher looks for those in one pass over
 * the text and tries the pattern only there. So a rule costs nothing where its anchors do not stand, and a hostile text
 * costs at most the pattern's own bounded length per anchor.
 */
export interface SecretRule {
  /** In kebab-case; a finding names it as `secrets/<id>`. Never changes its meaning. */
  readonly id: string;
  /** What is found, e.g. `Hugging Face access token`. */
  readonly title: string;
  readonly severity: Severity;
  /** What somebody who has it can do, in a sentence. */
  readonly why: string;
  /** Literals of at least three ASCII characters that a match begins with, in any case. */
  readonly anchors: readonly string[];
  /**
   * Tried where an anchor stands: sticky (`y`), with indices (`d`), every repetition bounded, and the secret itself in a
   * group called `secret`. Looks at most {@link LOOK_BEHIND} characters back and {@link LONGEST_MATCH} ahead.
   */
  readonly pattern: RegExp;
  /** Least Shannon entropy of the secret, in bits per character; 0 unless given. */
  readonly entropy?: number;
  /** Looks closer where the pattern alone says too little. */
  readonly confirm?: (secret: string) => boolean;
  /** Characters of the secret that may be shown, because every secret of this kind begins with them; 0 unless given. */
  readonly shown?: number;
  /** Says too little to be tried in bytes that are no text, and gives way to any other rule that finds the same. */
  readonly loose?: boolean;
  /** Where the format is described. */
  readonly source: string;
}

/** How far back from its anchor a pattern may look, in characters. */
export const LOOK_BEHIND = 64;

/** How far ahead of its anchor a match may reach, in characters. */
export const LONGEST_MATCH = 16_384;

/** What a key to a paid service is good for. */
export const PAID_SERVICE = 'Whoever has it uses the account and its data at the owner’s cost.';
