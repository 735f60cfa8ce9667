import { mapModel } from './map-model.ts';
import type { Model } from './model.ts';

/**
 * Names of a node's inputs without the blank ones at the end. ONNX gives an absent trailing input and a missing one the same
 * meaning, but ONNX Runtime 1.30 crashes on some operators (DFT) that spell it out.
 */
export function trimmedInputs(names: readonly string[]): readonly string[] {
  let count = names.length;
  while (count > 0 && names[count - 1] === '') count--;
  return count === names.length ? names : names.slice(0, count);
}

/** The model with the inputs of all its nodes trimmed (see {@link trimmedInputs}). */
export function withoutTrailingBlanks(model: Model): Model {
  return mapModel(model, {
    node(node) {
      const inputs = trimmedInputs(node.inputs);
      return inputs === node.inputs ? node : { ...node, inputs };
    },
  });
}
