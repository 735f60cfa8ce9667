import type { Model } from '../../src/onnx/model.ts';
import { elementCount, numbersOf } from '../../src/onnx/tensor.ts';
import type { Answers } from './answers.ts';

/** An initializer that holds one of the network's weights, as it stands or transposed. */
export interface FoundWeight {
  readonly initializer: string;
  /** The gradient that PyTorch gives, in the initializer's order. */
  readonly gradient: ArrayLike<number>;
}

/** Exporters round to float32 at most. */
const SAME = 1e-6;

/**
 * The initializers that hold the reference's weights: matrices may be transposed, as exporters do for MatMul. A weight that
 * was folded into another, split or reordered is not found.
 */
export function findWeights(model: Model, answers: Answers): readonly FoundWeight[] {
  return answers.weights.flatMap(({ value, gradient }) => {
    const wanted = value.data as Float64Array;
    const forms = [{ w: wanted, g: gradient.data as Float64Array }];
    if (value.dims.length === 2) {
      const [rows, columns] = value.dims as [number, number];
      forms.push({
        w: transposed(wanted, rows, columns),
        g: transposed(gradient.data as Float64Array, rows, columns),
      });
    }
    const found = [...model.graph.initializers].flatMap(([initializer, tensor]) => {
      if (tensor.dtype !== 'float32' || elementCount(tensor.dims) !== wanted.length) return [];
      const values = numbersOf(tensor);
      const form = forms.find(({ w }) => w.every((v, i) => Math.abs(v - values[i]!) <= SAME));
      return form ? [{ initializer, gradient: form.g }] : [];
    });
    // Two of the same values would share the gradient between them.
    return found.length === 1 ? found : [];
  });
}

function transposed(data: Float64Array, rows: number, columns: number): Float64Array {
  return data.map((_, at) => data[(at % rows) * columns + Math.floor(at / rows)]!);
}
