import type { Model } from '../../onnx/model.ts';
import type { PrivacyStatement } from '../../privacy/statement.ts';
import type { PrivateEpoch } from './journal.ts';

/** A privately trained model, and what is promised about it. */
export interface PrivatelyTrained {
  /** The model that was given, with other initializers (and other normalisation, where that was rewritten). */
  readonly model: Model;
  /** What releasing the model promises, with accountant, sampling and neighbours; `undefined` for a run with a test seed. */
  readonly privacy: PrivacyStatement | undefined;
  readonly steps: number;
  readonly rate: number;
  /** Expected samples in a step. */
  readonly expected: number;
  /** Noise multiplier, as accounted for, and that of the gradients (more with adaptive clipping). */
  readonly noise: number;
  readonly gradientNoise: number;
  /** Clipping norm of the last step. */
  readonly clip: number;
  /** Layers whose BatchNormalization became group normalisation. */
  readonly rewritten: readonly string[];
  readonly warnings: readonly string[];
  /** Figures without noise, for the owner of the data only; those of `validation` excepted. */
  readonly epochs: readonly PrivateEpoch[];
}
