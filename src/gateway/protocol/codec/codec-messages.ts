import type { InferRequest, InferResponse, Outgoing } from '../../../oip/index.ts';

/** What a thread is asked, one at a time. */
export type CodecTask =
  | {
      readonly kind: 'decode';
      readonly body: Uint8Array<ArrayBuffer>;
      readonly jsonLength: string | undefined;
    }
  | {
      readonly kind: 'encode';
      readonly response: InferResponse;
      /** Outputs that go in binary form. */
      readonly binary: readonly string[];
    };

/** What it made of it, or why it did not. */
export type CodecReply =
  | { readonly request: InferRequest }
  | { readonly message: Outgoing }
  | { readonly refused: string };
