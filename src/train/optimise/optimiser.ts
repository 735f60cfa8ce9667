import type { Value } from '../../onnx/graph-builder.ts';
import type { Ops } from '../../transform/ops.ts';

/** A weight with what the optimiser keeps for it, all of one shape. */
export interface Held {
  readonly weight: Value;
  /** In the order of {@link Optimiser.slots}. */
  readonly slots: readonly Value[];
}

/** An array that an optimiser keeps for each weight. */
export interface Slot {
  readonly name: string;
  /** What it holds before the first step. */
  readonly starts: 'at zero' | 'at the weight';
}

/** What an update depends on beside a weight and its gradient. */
export interface Moment {
  /** Number of the step, a scalar int64 that counts from 1. */
  readonly step: Value;
  /** Learning rate, a float32 scalar. */
  readonly rate: Value;
}

/** A rule that moves weights along their gradients, written into a graph. */
export interface Optimiser {
  readonly name: string;
  /** Everything that the rule depends on, for records. */
  readonly options: Readonly<Record<string, number | boolean | string>>;
  /** The arrays that it keeps for each weight. */
  readonly slots: readonly Slot[];
  /** Writes one update of one weight. `decays`: whether weight decay, where there is any, concerns this weight. */
  update(b: Ops, held: Held, gradient: Value, moment: Moment, decays: boolean): Held;
}
