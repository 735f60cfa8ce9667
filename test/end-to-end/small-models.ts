import { writeNpz } from '../../src/data/index.ts';
import { GraphBuilder, type Value } from '../../src/onnx/graph-builder.ts';
import type { Model } from '../../src/onnx/model.ts';
import { float32Tensor } from '../../src/onnx/tensor.ts';
import { opsOn } from '../../src/transform/ops.ts';

/** Features and classes of {@link linearModel}. */
export const FEATURES = 4;
export const CLASSES = 3;

/** Weights `[4, 3]` and bias of {@link linearModel}. */
export const WEIGHTS = Float32Array.of(1, -1, 0.5, 0.25, 1, -1, -1, 0.5, 1, 0.5, -0.25, -0.5);
export const BIAS = Float32Array.of(0.1, 0, -0.1);

/** Opens the first dimension of every input and output. */
export function withOpenBatch(model: Model): Model {
  const open = (values: Model['graph']['inputs']) =>
    values.map((v) =>
      v.type.kind === 'tensor' && v.type.dims
        ? { ...v, type: { ...v.type, dims: ['batch', ...v.type.dims.slice(1)] } }
        : v,
    );
  const { graph } = model;
  return { ...model, graph: { ...graph, inputs: open(graph.inputs), outputs: open(graph.outputs) } };
}

/** A classifier of 4 features into 3 classes whose weights are known; `end` may be a final activation. */
export function linearModel(end?: 'Softmax' | 'Sigmoid'): Model {
  const b = opsOn(new GraphBuilder());
  const x = b.builder.input('x', 'float32', [1, FEATURES]);
  const w = b.builder.constant(float32Tensor([FEATURES, CLASSES], WEIGHTS), 'w');
  const z = b.add(b.matmul(x, w), b.builder.constant(float32Tensor([CLASSES], BIAS), 'bias'));
  return withOpenBatch(b.builder.build({ logits: end ? b.node(end, [z]) : z }));
}

/** A model of one output: `w · x`, through a sigmoid when asked. */
export function oneOutputModel(end?: 'Sigmoid'): Model {
  const b = opsOn(new GraphBuilder());
  const x = b.builder.input('x', 'float32', [1, FEATURES]);
  const w = b.builder.constant(float32Tensor([FEATURES, 1], Float32Array.of(1, -1, 0.5, -0.5)), 'w');
  const z = b.matmul(x, w);
  return withOpenBatch(b.builder.build({ y: end ? b.node(end, [z]) : z }));
}

/** The logits of {@link linearModel}, computed here. */
export function linearLogits(x: ArrayLike<number>, at = 0): number[] {
  return Array.from({ length: CLASSES }, (_, c) => {
    let z = BIAS[c]!;
    for (let i = 0; i < FEATURES; i++) z += x[at + i]! * WEIGHTS[i * CLASSES + c]!;
    return z;
  });
}

/** `n` samples in [0, 1] and the labels that {@link linearModel} gives them. */
export function linearData(n: number): { readonly x: Float32Array; readonly y: Int32Array } {
  const x = Float32Array.from({ length: n * FEATURES }, (_, i) => ((i * 7919) % 997) / 997);
  const y = Int32Array.from({ length: n }, (_, i) => {
    const z = linearLogits(x, i * FEATURES);
    return z.indexOf(Math.max(...z));
  });
  return { x, y };
}

/** Writes {@link linearData}, with what a test wants changed. */
export async function writeLinearData(
  path: string,
  n: number,
  change: {
    readonly x?: (x: Float32Array) => void;
    readonly y?: Int32Array | Float32Array;
    readonly shape?: readonly number[];
  } = {},
): Promise<void> {
  const data = linearData(n);
  change.x?.(data.x);
  const y = change.y ?? data.y;
  await writeNpz(path, {
    x: { data: data.x, shape: change.shape ?? [n, FEATURES] },
    y: { data: y, shape: [y.length] },
  });
}

/** A model whose way from input to output holds an operator without a gradient; its batch is fixed at 1. */
export function regionModel(): Model {
  const b = opsOn(new GraphBuilder());
  const x = b.builder.input('x', 'float32', [1, 2, 6, 6]);
  const rois = b.builder.constant(float32Tensor([1, 5], Float32Array.of(0, 0, 0, 5, 5)), 'rois');
  const pooled = b.node('MaxRoiPool', [x, rois], { pooled_shape: [1, 1] });
  return b.builder.build({ logits: b.reshape(pooled, [1, 2]) });
}

/** A network deep enough that an attack of many steps takes seconds. */
export function slowModel(): Model {
  const b = opsOn(new GraphBuilder());
  const x = b.builder.input('x', 'float32', [1, 64]);
  let h: Value = x;
  for (let layer = 0; layer < 8; layer++) {
    const fan = h.dims[1]!;
    const w = Float32Array.from(
      { length: fan * 256 },
      (_, i) => Math.sin(i * (layer + 1.3)) / Math.sqrt(fan),
    );
    h = b.node('Tanh', [b.matmul(h, b.builder.constant(float32Tensor([fan, 256], w), `w${layer}`))]);
  }
  const end = Float32Array.from({ length: 256 * 2 }, (_, i) => (i % 2 === 0 ? 1e-4 : -1e-4));
  const bias = b.builder.constant(float32Tensor([2], Float32Array.of(1, 0)), 'bias');
  const z = b.add(b.matmul(h, b.builder.constant(float32Tensor([256, 2], end), 'end')), bias);
  return withOpenBatch(b.builder.build({ logits: z }));
}

/** Data for {@link slowModel}: every label is 0, as the model answers, and no small change helps. */
export async function writeSlowData(path: string, n: number): Promise<void> {
  const x = Float32Array.from({ length: n * 64 }, (_, i) => ((i * 31) % 101) / 101);
  await writeNpz(path, { x: { data: x, shape: [n, 64] }, y: { data: new Int32Array(n), shape: [n] } });
}
