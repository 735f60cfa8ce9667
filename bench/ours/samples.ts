import { openFile } from '../../src/data/byte-source.ts';
import { openNpy } from '../../src/data/npy.ts';
import type { LabelledSamples } from '../../src/train/index.ts';

/** The samples of `PREFIX-x.npy` and `PREFIX-y.npy`, in memory. */
export async function samplesIn(prefix: string): Promise<LabelledSamples> {
  const read = async (part: string) => {
    const path = `${prefix}-${part}.npy`;
    const array = await openNpy(await openFile(path), path, 2 ** 31);
    const data = await array.read(0, array.shape[0]!);
    await array.close();
    return data;
  };
  return { x: (await read('x')) as Float32Array, y: Int32Array.from(await read('y'), Number) };
}
