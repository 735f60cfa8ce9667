/** A text out of a file that is looked at for secrets. Everything in it is attacker-controlled. */
export interface TextPiece {
  /** What the text is, e.g. `cell 3, output 1` or `metadata 'author'`; empty where it is the file itself. */
  readonly place: string;
  readonly text: string;
  /** The part in which a match may begin, the whole text unless given; the rest belongs to neighbours. */
  readonly from?: number;
  readonly to?: number;
  /** Line of the file in which the text begins, from 1, where the file has lines and the text stands in it as it is. */
  readonly line?: number;
  /** The line of the file in which a string stands, where the text went through an encoding. */
  readonly lineOf?: (text: string) => number | undefined;
  /** Rules that go by a name alone make no sense here (bytes that are no text). */
  readonly strictOnly?: boolean;
}

/** What was not looked at, in a sentence: `left` is a part of a file that is by its nature no text, `unread` anything else. */
export interface Remark {
  readonly kind: 'left' | 'unread';
  readonly reason: string;
}
