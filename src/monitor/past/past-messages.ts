import type { ErrorCode } from '../../core/error.ts';
import type { PackedSightings } from '../hub/packed-sightings.ts';

/** What the thread that reads a file is started with. */
export interface PastWorkerData {
  readonly path: string;
  readonly model: string | undefined;
}

/** From that thread. */
export type PastReply =
  | {
      readonly kind: 'block';
      readonly packed: PackedSightings;
      readonly skipped: number;
      readonly features: readonly string[] | undefined;
    }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/** To it: arrays that were read, to be used again. */
export interface PastRequest {
  readonly numbers: Float64Array;
  readonly floats: Float32Array;
}
