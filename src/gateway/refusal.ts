/**
 * Everything that the public side ever says about a refusal. Messages are fixed: nothing of a request, a model, an upstream or this
 * machine gets into them, and none tells more than the caller may know. What really happened is in the log.
 */
export const REFUSALS = {
  malformed: { status: 400, grpc: 3, message: 'the request does not follow the protocol' },
  mismatched: { status: 400, grpc: 3, message: "the inputs do not fit the model's metadata" },
  unacceptable: { status: 400, grpc: 3, message: 'the inputs are not acceptable' },
  unauthenticated: { status: 401, grpc: 16, message: 'valid credentials are required' },
  /** Unknown and forbidden alike: who may not use a model does not learn whether it is there. */
  unknown: { status: 404, grpc: 5, message: 'no such model or operation for these credentials' },
  'too-large': { status: 413, grpc: 8, message: 'the request is larger than this server accepts' },
  encoding: { status: 415, grpc: 12, message: 'the content type or encoding is not supported' },
  held: { status: 409, grpc: 10, message: 'the answer is held for review' },
  throttled: { status: 429, grpc: 8, message: 'too many requests' },
  exhausted: { status: 429, grpc: 8, message: 'the query budget is used up' },
  failed: { status: 500, grpc: 13, message: 'the request could not be answered' },
  unavailable: { status: 503, grpc: 14, message: 'the service is not available now' },
  late: { status: 504, grpc: 4, message: 'the answer was not ready in time' },
} as const satisfies Readonly<
  Record<string, { readonly status: number; readonly grpc: number; readonly message: string }>
>;

/** A key of {@link REFUSALS}. */
export type Refusal = keyof typeof REFUSALS;

/** Ends a call: thrown anywhere on the way, turned into a reply and a log entry in one place. */
export class Refused extends Error {
  readonly refusal: Refusal;
  /** What really happened: for the log and the operator, never for the caller. */
  readonly because: string;
  /** Seconds after which to try again. */
  readonly retryAfter: number | undefined;
  /** How far the verifying model was from the first, where that is why. For the log. */
  readonly divergence: number | undefined;

  constructor(
    refusal: Refusal,
    because: string,
    options: { readonly retryAfter?: number; readonly divergence?: number; readonly cause?: unknown } = {},
  ) {
    super(REFUSALS[refusal].message, { cause: options.cause });
    this.name = 'Refused';
    this.refusal = refusal;
    this.because = because;
    this.retryAfter = options.retryAfter;
    this.divergence = options.divergence;
  }
}
