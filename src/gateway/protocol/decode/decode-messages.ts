import type { InferRequest } from '../../../oip/index.ts';

/** A body to decode. */
export interface DecodeTask {
  readonly id: number;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly jsonLength: string | undefined;
}

/** What it holds, or why it is refused. */
export type DecodeReply =
  | { readonly id: number; readonly request: InferRequest }
  | { readonly id: number; readonly refused: string };
