import type { OptionValue } from '../../core/options.ts';
import type { Model } from '../../onnx/model.ts';

/** What a recipe builds a network for. */
export interface RecipeFrame {
  /** Shape of one sample. */
  readonly input: readonly number[];
  /** Outputs for one sample: classes, or values of a regression. */
  readonly outputs: number;
  /** Seed of the weights. */
  readonly seed: number;
  /** Subtracted and divided inside the network, one number or one for each channel (pictures) or feature (the last axis). Default: nothing. */
  readonly centre?: { readonly mean: readonly number[]; readonly std: readonly number[] };
  /** Name of the output. Default `logits`. */
  readonly output?: string;
}

/** Options of a recipe as they can be written in `name(key=value)`; lists are text with blanks between. */
export type RecipeOptions = Readonly<Record<string, OptionValue>>;

/** A network that can be built with random weights. */
export interface Recipe {
  readonly id: string;
  /** What it is for, in a line. */
  readonly use: string;
  readonly defaults: RecipeOptions;
  /** What each option means. */
  readonly explained: Readonly<Record<string, string>>;
  /** Axes of a sample that it takes: 3 for pictures `[C, H, W]`, 2 for sequences `[T, F]`; any without. */
  readonly rank?: number;
  /** Whether pictures are centred as the frame says; published networks that take raw pixels are not. Default true. */
  readonly isCentred?: boolean;
  /**
   * The network as a model with input `input`, `[batch, …]`, a free batch, and the output `[batch, outputs]`.
   * Errors: `option/invalid` for options out of range; `data/mismatch` for samples that are too small for it.
   */
  build(frame: RecipeFrame, options: RecipeOptions): Model;
}
