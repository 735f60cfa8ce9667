import { randomFrom } from '../../core/random.ts';
import type { Dim, Model } from '../../onnx/model.ts';
import { runInRuntime } from '../../onnx/ort.fixture.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { defend } from './defend.ts';
import type { PictureOptions } from './pictures-of.ts';
import { planDefences } from './registry.ts';

/** A model that gives its input back: what a defence does to it shows. */
export function identityModel(dims: readonly Dim[], opset = 17): Model {
  const type = { kind: 'tensor', dtype: 'float32', dims } as const;
  return {
    irVersion: 8,
    opsets: new Map([['', opset]]),
    graph: {
      name: 'it',
      inputs: [{ name: 'x', type }],
      outputs: [{ name: 'y', type }],
      initializers: new Map(),
      nodes: [
        { op: 'Identity', domain: '', name: 'same', inputs: ['x'], outputs: ['y'], attributes: new Map() },
      ],
      valueTypes: new Map(),
    },
    functions: [],
    producer: 'test',
    metadata: new Map(),
  };
}

/** Random values from 0 to 1. */
export function randomPictures(dims: readonly number[], key = 'pictures'): Float32Array {
  const rng = randomFrom(1, key);
  return Float32Array.from({ length: elementCount(dims) }, () => rng.uniform());
}

/** What becomes of pictures `[n, …sample]` in ONNX Runtime, through a model whose batch is open. */
export async function throughDefences(
  text: string,
  dims: readonly number[],
  data: Float32Array,
  options: PictureOptions & { readonly opset?: number } = {},
): Promise<readonly number[]> {
  const { opset, ...rest } = options;
  const model = defend(identityModel(['batch', ...dims.slice(1)], opset), planDefences(text), rest);
  const { y } = await runInRuntime(model, { x: { dims, data } });
  return y!.data;
}

/** The largest difference of two lists. */
export function farthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return Array.from(a).reduce((most, v, i) => Math.max(most, Math.abs(v - b[i]!)), 0);
}

/** `f(plane)` for each plane of `[n, c, h, w]`. */
export function onPlanes(
  [n, c, h, w]: readonly number[],
  data: ArrayLike<number>,
  f: (at: (y: number, x: number) => number, h: number, w: number) => readonly number[],
): number[] {
  const size = h! * w!;
  return Array.from({ length: n! * c! }, (_, plane) =>
    f(
      (y, x) =>
        data[plane * size + Math.min(h! - 1, Math.max(0, y)) * w! + Math.min(w! - 1, Math.max(0, x))]!,
      h!,
      w!,
    ),
  ).flat();
}
