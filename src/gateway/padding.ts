/** Hides how long an answer is: bodies are filled up to few lengths. */
export interface Padding {
  /** The length that a body of `length` bytes is sent with: the same or more, in bytes. */
  padTo(length: number): number;
}
