import type { ModelMetadata } from '../oip/metadata.ts';
import type { InferRequest } from '../oip/request.ts';
import type { InferResponse } from '../oip/response.ts';
import type { Reply } from './http-exchange.ts';
import type { WireFormat } from './remote-options.ts';

/** One request, which may be sent several times. Errors: `endpoint/bad-answer`, `endpoint/unavailable`; failures of the network as they are. */
export type Request = (signal: AbortSignal) => Promise<Reply>;

/**
 * How the protocol's messages travel to one model. Refusals come with the statuses of HTTP, whatever the transport, so that
 * what they mean is decided in one place.
 */
export interface EndpointTransport {
  /** The only form that tensors have on it; both are possible without. */
  readonly format?: WireFormat;
  /** Asks what the model is. */
  describe: Request;
  /** Reads the answer to that. Errors: `endpoint/bad-answer`. */
  metadataOf(reply: Reply): ModelMetadata;
  /** Prepares a question; a good answer has at most `maxBytes`. Errors: `data/mismatch`, `data/not-finite`. */
  infer(request: InferRequest, format: WireFormat, maxBytes: number): Request;
  /** Reads the answer to that. Errors: `endpoint/bad-answer`. */
  answerOf(reply: Reply): InferResponse;
  /** Whether part of an answer is in binary form. */
  isBinary(reply: Reply): boolean;
  close(): void;
}

/** Most bytes of a model's description. */
export const METADATA_BYTES = 2 ** 20;
