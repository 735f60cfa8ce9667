import type { DType } from '../../onnx/dtype.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import type { Ops } from '../../transform/ops.ts';

/** What a criterion says about the samples of a batch. */
export interface Judged {
  /** Loss of each sample, `[B]`. */
  readonly losses: Value;
  /** Gradient of the sum of the losses with respect to the outputs, `[B, K]`. */
  readonly gradient: Value;
  /** Whether each sample is right, `[B]` bool; absent where there is no right and wrong (regression). */
  readonly hits?: Value;
}

/** How far a network's outputs are from what they should be: the loss that training makes small. */
export interface Criterion {
  readonly name: CriterionName;
  /** Everything that it depends on, for records. */
  readonly options: Readonly<Record<string, number | string>>;
  /** Type and shape of the targets of `rows` samples. */
  targets(rows: number, outputs: number): { readonly dtype: DType; readonly dims: readonly number[] };
  /** Writes the losses; `outputs` `[B, K]` float, `targets` as {@link targets} says. */
  write(b: Ops, outputs: Value, targets: Value): Judged;
}

/** Names of the criteria. */
export type CriterionName =
  | 'cross-entropy'
  | 'soft-cross-entropy'
  | 'distillation'
  | 'binary'
  | 'mse'
  | 'huber';
