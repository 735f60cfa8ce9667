import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { adaptDataset, openDataset } from '../../src/data/index.ts';
import { renderSplit } from '../../src/data/traffic-signs/render.ts';
import type { Model } from '../../src/onnx/model.ts';
import { parseModel } from '../../src/onnx/read.ts';

const SHARED = process.env.GLACIS_SHARED ?? '../shared';
const MNIST = join(SHARED, 'data/mnist');

/** Whether GLACIS_SHARED names a folder with models and data. */
export const haveModels = existsSync(join(SHARED, 'models')) && existsSync(MNIST);

/** A trained model that hides nothing, with test samples. */
export interface Base {
  readonly model: Model;
  readonly x: Float32Array;
  readonly labels: Int32Array;
  /** Shape of a sample. */
  readonly dims: readonly number[];
  /** The samples as the command line names them. */
  readonly data: string;
  /** Radii in Linf: small, usual and large for its data. */
  readonly eps: readonly [small: number, usual: number, large: number];
}

/** The bundled example, the only one that needs nothing from outside. */
export const EXAMPLE = 'traffic-signs';

/** The same network, trained on attacked samples with Glacis itself. */
export const HARDENED = 'traffic-signs, hardened';

/** Models without a defence, or trained on attacked samples: none of them hides its gradient. */
export const HONEST = [
  EXAMPLE,
  HARDENED,
  'mnist-cnn',
  'mnist-cnn-adv',
  'mnist-mlp',
  'mnist-mlp-overfit',
  'mnist-vit',
  'mnist-gru',
  'mnist-lstm',
  'cifar10-resnet14',
] as const;

/** One of {@link HONEST}. */
export type BaseName = (typeof HONEST)[number];

/** Reads a model and its first `n` test samples. */
export async function openBase(name: BaseName, n: number): Promise<Base> {
  if (name === EXAMPLE || name === HARDENED) {
    const { x, y } = renderSplit({ seed: 1, split: 'test', n });
    const file = name === EXAMPLE ? 'traffic-signs' : 'hardened';
    const path = new URL(`../../examples/traffic-signs/${file}.onnx`, import.meta.url);
    const pixels = Float32Array.from(x, (v) => v / 255);
    return {
      model: parseModel(readFileSync(path)),
      x: pixels,
      labels: Int32Array.from(y),
      dims: [3, 32, 32],
      data: `traffic-signs:test:${n}`,
      eps: [2 / 255, 8 / 255, 32 / 255],
    };
  }
  const model = parseModel(readFileSync(join(SHARED, 'models', `${name}.onnx`)));
  const cifar = name.startsWith('cifar10');
  const dims = cifar ? [3, 32, 32] : [1, 28, 28];
  const data = cifar
    ? join(SHARED, 'data/cifar10/test.npz')
    : `${MNIST}/t10k-images-idx3-ubyte.gz,${MNIST}/t10k-labels-idx1-ubyte.gz`;
  const dataset = await openDataset(data);
  try {
    const input = { name: 'input', dims: ['batch', ...dims], dtype: 'float32' as const };
    const adapted = await adaptDataset(dataset, input, { n });
    const { x } = await adapted.read(0, n);
    return {
      model,
      x,
      labels: Int32Array.from(adapted.labels!.slice(0, n)),
      dims,
      data,
      eps: cifar ? [2 / 255, 8 / 255, 32 / 255] : [0.03, 0.1, 0.3],
    };
  } finally {
    await dataset.close();
  }
}

/**
 * The model whose examples are tried on `on`, or on a defence of it, where an attacker has one of his own: another network of the same data where there is
 * one that was trained apart, else the model without its defence.
 */
export function surrogateFor(on: BaseName): BaseName {
  if (!on.startsWith('mnist')) return on === HARDENED ? EXAMPLE : on;
  return on.startsWith('mnist-cnn') ? 'mnist-vit' : 'mnist-cnn';
}
