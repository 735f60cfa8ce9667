/** The codes of gRPC, each with the status that HTTP has for it. */
const STATUSES: readonly (readonly [name: string, status: number])[] = [
  ['OK', 200],
  ['CANCELLED', 499],
  ['UNKNOWN', 500],
  ['INVALID_ARGUMENT', 400],
  ['DEADLINE_EXCEEDED', 504],
  ['NOT_FOUND', 404],
  ['ALREADY_EXISTS', 409],
  ['PERMISSION_DENIED', 403],
  ['RESOURCE_EXHAUSTED', 429],
  ['FAILED_PRECONDITION', 400],
  ['ABORTED', 409],
  ['OUT_OF_RANGE', 400],
  ['UNIMPLEMENTED', 501],
  ['INTERNAL', 500],
  ['UNAVAILABLE', 503],
  ['DATA_LOSS', 500],
  ['UNAUTHENTICATED', 401],
];

/** What gRPC's libraries, and Glacis' gateway, say where a message is too large: the code is that of throttling. */
const TOO_LARGE = /larger than|exceeds (?:the )?max|too large/i;

/**
 * The status of HTTP that a call's code stands for, with the code's name; codes that gRPC does not have count as `UNKNOWN`. Messages that are too large
 * are 413 and not 429: asking again does not help, smaller ones do. Source: google/rpc/code.proto, “HTTP Mapping”.
 */
export function httpStatusOf(
  code: number,
  message: string,
): { readonly status: number; readonly name: string } {
  const [name, status] = STATUSES[code] ?? STATUSES[2]!;
  return { name, status: name === 'RESOURCE_EXHAUSTED' && TOO_LARGE.test(message) ? 413 : status };
}
