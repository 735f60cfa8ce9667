/** The stream is no pickle, or ends in the middle of one. */
export class PickleError extends Error {
  override readonly name = 'PickleError';
}
