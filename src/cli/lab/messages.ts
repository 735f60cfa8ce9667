import type { ErrorCode } from '../../core/error.ts';
import type { LabOrder, LabOutcome } from '../../gateway/console/lab.ts';

/** What the gateway tells the process of the lab. */
export type ToLab =
  | { readonly kind: 'run'; readonly trial: Trial }
  | { readonly kind: 'answer'; readonly id: number; readonly scores: Float32Array }
  | { readonly kind: 'no-answer'; readonly id: number; readonly because: string };

/** What the process of the lab tells the gateway. */
export type FromLab =
  | { readonly kind: 'progress'; readonly share: number }
  | { readonly kind: 'ask'; readonly id: number; readonly points: Float32Array; readonly n: number }
  | { readonly kind: 'done'; readonly outcome: LabOutcome }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/** One attack on one sample of one model. */
export interface Trial {
  readonly order: LabOrder;
  readonly range: readonly [number, number];
  readonly model: {
    readonly digest: string;
    readonly input: string;
    readonly output: string;
    readonly sampleDims: readonly number[];
    readonly classes: number;
    readonly source?:
      | { readonly path: string; readonly entry?: string | undefined; readonly ignore: readonly string[] }
      | undefined;
  };
  /** Most bytes of the model and, resident, of the process. */
  readonly memory: number;
}
