import type { ModelMetadata } from '../../../oip/metadata.ts';
import type { InferRequest } from '../../../oip/request.ts';
import type { InferResponse } from '../../../oip/response.ts';

/** How a request is sent. */
export interface Sending {
  readonly signal: AbortSignal;
  /** Milliseconds for the whole answer. */
  readonly timeout: number;
  /** Most bytes of an answer. */
  readonly most: number;
  /** What the request is part of: the header `traceparent`. */
  readonly traceparent?: string | undefined;
}

/** Talks to one model on one server. Only three things are ever sent: a request for metadata, one for the server's extensions, and questions. */
export interface Transport {
  /** Errors: {@link UpstreamFailure}. */
  metadata(sending: Sending): Promise<ModelMetadata>;
  /** Errors: {@link UpstreamFailure}. */
  infer(request: InferRequest, sending: Sending): Promise<InferResponse>;
  close(): void;
}

/** What became of a request that has no answer. */
export class UpstreamFailure extends Error {
  /**
   * `unsent`: nothing left this machine, so it may be sent again; `failed`: the server did not answer, or said that it cannot; `bad-answer`: it said something that is
   * no answer; `rejected`: it does not like this request, which says nothing about its health; `gone`: the caller has gone.
   */
  readonly kind: 'unsent' | 'failed' | 'timeout' | 'bad-answer' | 'rejected' | 'gone';

  constructor(kind: UpstreamFailure['kind'], message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'UpstreamFailure';
    this.kind = kind;
  }
}
