import type { Value } from '../../onnx/graph-builder.ts';
import { type Layers, LINEAR, RECTIFIED } from './layers.ts';
import { wordFrom } from './option-text.ts';
import type { RecipeOptions } from './recipe.ts';

/** Operators that may stand behind a layer, and the gain of the layers before them. */
const ACTIVATIONS = {
  relu: { op: 'Relu', gain: RECTIFIED },
  tanh: { op: 'Tanh', gain: LINEAR },
  gelu: { op: 'Gelu', gain: RECTIFIED },
} as const;

/** What a recipe puts behind its layers. */
export interface Activation {
  /** Of the layers before it. */
  readonly gain: number;
  apply(x: Value): Value;
}

/** Reads a recipe's option `activation`, one of `choices`. Errors: `option/invalid`. */
export function activationFrom(
  options: RecipeOptions,
  { b }: Pick<Layers, 'b'>,
  choices: readonly (keyof typeof ACTIVATIONS)[],
): Activation {
  const { op, gain } = ACTIVATIONS[wordFrom(options, 'activation', choices)];
  return { gain, apply: (x) => b.unary(op, x) };
}
