import type { Value } from '../../../src/onnx/graph-builder.ts';
import { elementCount, tensorFrom } from '../../../src/onnx/tensor.ts';
import type { TargetGraph } from '../../../src/runtime/target.ts';
import { SQUEEZE_DISTANCE } from '../../../src/transform/defence/detector.ts';
import { lastLayerInput } from '../../../src/transform/last-layer.ts';

/** What the detectors have learnt, as far as their scores in a graph need it. */
interface Learnt {
  readonly mahalanobis: {
    readonly whitener: Float32Array;
    readonly centres: Float32Array;
    readonly whole: { readonly whitener: Float32Array; readonly centres: Float32Array };
  };
  readonly 'nearest-features': { readonly counts: readonly number[]; readonly bank: Float32Array };
}

/** How sharp the soft maximum over neighbours is. */
const SHARP = 100;

/**
 * A detector's score `[B]` as part of the model's graph, so that an attacker can take its gradient: the same formula, but for the k-th neighbour, in whose
 * place the nearest stand. `undefined` for what has no gradient. The predicted class is taken as it is.
 */
export function scoreInGraph(id: string, fit: unknown, graph: TargetGraph): Value | undefined {
  const { b, logits: z, values } = graph;
  const [rows, classes] = z.dims as [number, number];
  const best = b.reduceMax(z, [1], true);
  const predicted = b.cast(b.compare('Equal', z, best), 'float32');
  const constant = (values: Float32Array, dims: readonly number[]) =>
    b.builder.constant(tensorFrom('float32', dims, values));
  const features = () => {
    const inner = lastLayerInput(b.builder, z)!;
    return b.reshape(inner, [rows, elementCount(inner.dims.slice(1))]);
  };
  const squares = (x: Value) => b.sum(b.mul(x, x), [1]);
  switch (id) {
    case 'margin': {
      const next = b.reduceMax(b.sub(z, b.mul(predicted, 1e6)), [1]);
      return b.sub(next, b.reshape(best, [rows]));
    }
    case 'energy': {
      const sum = b.sum(b.unary('Exp', b.sub(z, best)), [1]);
      return b.neg(b.add(b.unary('Log', sum), b.reshape(best, [rows])));
    }
    case 'mahalanobis': {
      const { whitener, centres, whole } = fit as Learnt['mahalanobis'];
      const f = features();
      const width = f.dims[1]!;
      const white = (w: Float32Array) => b.matmul(f, b.transpose(constant(w, [width, width]), [1, 0]));
      const own = b.matmul(predicted, constant(centres, [classes, width]));
      const near = squares(b.sub(white(whitener), own));
      return b.sub(near, squares(b.sub(white(whole.whitener), constant(whole.centres, [1, width]))));
    }
    case 'nearest-features': {
      const { counts, bank } = fit as Learnt['nearest-features'];
      const f = features();
      const width = f.dims[1]!;
      const size = bank.length / width;
      const owner = new Float32Array(classes * size);
      for (let k = 0, at = 0; k < classes; k++)
        for (let i = 0; i < counts[k]!; i++, at++) owner[k * size + at] = 1;
      const length = b.unary('Sqrt', b.add(b.sum(b.mul(f, f), [1], true), 1e-12));
      const cosines = b.matmul(b.div(f, length), b.transpose(constant(bank, [size, width]), [1, 0]));
      const isOwn = b.matmul(predicted, constant(owner, [classes, size]));
      const own = b.add(cosines, b.mul(b.sub(isOwn, 1), 10));
      const most = b.reduceMax(own, [1], true);
      const soft = b.sum(b.unary('Exp', b.mul(b.sub(own, most), SHARP)), [1]);
      return b.neg(b.add(b.mul(b.unary('Log', soft), 1 / SHARP), b.reshape(most, [rows])));
    }
    case 'feature-squeezing':
      return b.reshape(values.get(SQUEEZE_DISTANCE)!, [rows]);
    default:
      return undefined;
  }
}
