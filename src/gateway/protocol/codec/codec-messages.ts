import type { InferRequest, InferResponse, Outgoing } from '../../../oip/index.ts';

/** What a thread is asked. */
export type CodecTask =
  | {
      readonly id: number;
      readonly kind: 'decode';
      readonly body: Uint8Array<ArrayBuffer>;
      readonly jsonLength: string | undefined;
    }
  | {
      readonly id: number;
      readonly kind: 'encode';
      readonly response: InferResponse;
      /** Outputs that go in binary form. */
      readonly binary: readonly string[];
    };

/** What it made of it, or why it did not. */
export type CodecReply =
  | { readonly id: number; readonly request: InferRequest }
  | { readonly id: number; readonly message: Outgoing }
  | { readonly id: number; readonly refused: string };
