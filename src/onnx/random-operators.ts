/** Operators of ai.onnx that give something else each time (`Dropout` in training only): never merged, never folded. */
export const RANDOM_OPERATORS: ReadonlySet<string> = new Set([
  'RandomNormal',
  'RandomUniform',
  'RandomNormalLike',
  'RandomUniformLike',
  'Multinomial',
  'Bernoulli',
  'Dropout',
]);
