import { mapModel } from './map-model.ts';
import type { Model } from './model.ts';

/**
 * The model without blank names at the end of its nodes' inputs; ONNX gives an absent trailing input and a missing one the same
 * meaning, but ONNX Runtime 1.30 crashes on some operators (DFT) that spell it out.
 */
export function withoutTrailingBlanks(model: Model): Model {
  return mapModel(model, {
    node(node) {
      let count = node.inputs.length;
      while (count > 0 && node.inputs[count - 1] === '') count--;
      return count === node.inputs.length ? node : { ...node, inputs: node.inputs.slice(0, count) };
    },
  });
}
