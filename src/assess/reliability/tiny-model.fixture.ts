import { GraphBuilder, type Value } from '../../onnx/graph-builder.ts';
import type { Model } from '../../onnx/model.ts';
import { float32Tensor } from '../../onnx/tensor.ts';
import type { Engine } from '../../runtime/engine.ts';
import { classificationGoal } from '../../threat/goal.ts';
import { type Ops, opsOn } from '../../transform/ops.ts';
import type { Loaded } from '../load.ts';
import { openSubject } from '../open-subject.ts';
import { judge } from '../subject.ts';

/** Values of one sample, and samples. */
export const SIZE = 48;
export const SAMPLES = 24;

const CLASSES = 4;

/** A change of a network of four classes, in front of it or behind it. */
export interface Change {
  readonly front?: (b: Ops, x: Value) => Value;
  readonly end?: (b: Ops, z: Value) => Value;
}

/** A small network of one hidden layer, its weights known, with what `change` makes of its input and output. */
export function tinyModel({ front = (_, x) => x, end = (_, z) => z }: Change = {}): Model {
  const b = opsOn(new GraphBuilder());
  const x = b.builder.input('x', 'float32', [1, SIZE]);
  const weights = (rows: number, columns: number, salt: number) =>
    b.builder.constant(
      float32Tensor(
        [rows, columns],
        Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(1 + i * salt) / 2),
      ),
      `w${salt}`,
    );
  const h = b.node('Tanh', [b.matmul(b.sub(front(b, x), 0.5), weights(SIZE, 16, 1.7))]);
  const model = b.builder.build({ logits: end(b, b.matmul(h, weights(16, CLASSES, 2.3))) });
  const open = (values: Model['graph']['inputs']) =>
    values.map((v) =>
      v.type.kind === 'tensor' ? { ...v, type: { ...v.type, dims: ['batch', ...v.type.dims!.slice(1)] } } : v,
    );
  const { graph } = model;
  return { ...model, graph: { ...graph, inputs: open(graph.inputs), outputs: open(graph.outputs) } };
}

/** Samples between 0 and 1, `[SAMPLES, SIZE]`. */
export const tinySamples = (): Float32Array =>
  Float32Array.from({ length: SAMPLES * SIZE }, (_, i) => ((i * 7919) % 997) / 997);

/** What an assessment has of a model whose every answer is right; only what a look at its reliability reads. */
export async function loadTiny(engine: Engine, model: Model): Promise<Loaded> {
  const x = tinySamples();
  const { subject, randomised, batch } = await openSubject(engine, {
    model,
    deployed: model,
    input: 'x',
    sampleDims: [SIZE],
    fixed: {},
    output: undefined,
    batch: 16,
    first: { x: x.slice(0, 4 * SIZE), count: 4 },
    signal: undefined,
  });
  const any = classificationGoal(new Int32Array(SAMPLES), CLASSES);
  const { prediction } = await judge(subject, any, x, SAMPLES, undefined);
  const read = async (start: number, count: number) => ({
    x: x.slice(start * SIZE, (start + count) * SIZE),
    indices: Int32Array.from({ length: count }, (_, i) => start + i),
    count,
  });
  return {
    subject,
    batch,
    randomised,
    labels: Int32Array.from(prediction),
    width: 1,
    task: 'classification',
    bounds: [0, 1],
    constraint: undefined,
    adapted: { n: SAMPLES, read },
    close: async () => {
      await subject.target?.close();
      await subject.predictor.close();
    },
  } as unknown as Loaded;
}
