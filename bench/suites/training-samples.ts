import { join } from 'node:path';
import { adaptDataset, openDataset } from '../../src/data/index.ts';
import { writeNpy } from '../../src/data/npy.ts';
import { SHARED } from '../places.ts';

/** Training samples of a network, as the command line takes them. */
export const trainingPath = (network: string): string =>
  network.startsWith('cifar10')
    ? join(SHARED, 'data', 'cifar10', 'train.npz')
    : ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz']
        .map((file) => join(SHARED, 'data', 'mnist', file))
        .join();

/** Writes the first `n` samples as `PREFIX-x.npy` and `PREFIX-y.npy`, for all sides. */
export async function writeSamples(prefix: string, path: string, network: string, n: number): Promise<void> {
  const dims = network.startsWith('cifar10') ? [3, 32, 32] : [1, 28, 28];
  const dataset = await openDataset(path);
  const adapted = await adaptDataset(
    dataset,
    { name: 'input', dims: ['batch', ...dims], dtype: 'float32' },
    { n },
  );
  const { x } = await adapted.read(0, n);
  await writeNpy(`${prefix}-x.npy`, { data: x, shape: [n, ...dims] });
  const labels = BigInt64Array.from(adapted.labels!.slice(0, n) as Int32Array, BigInt);
  await writeNpy(`${prefix}-y.npy`, { data: labels, shape: [n] });
  await dataset.close();
}
