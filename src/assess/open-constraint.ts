import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { GlacisError } from '../core/error.ts';
import { openDataset, readGreyImage } from '../data/index.ts';
import { elementCount } from '../onnx/tensor.ts';
import { eightBit } from '../threat/constraint/eight-bit.ts';
import { constraintFrom } from '../threat/constraint/from-file.ts';
import { joined } from '../threat/constraint/joined.ts';
import type { Constraint } from '../threat/constraint.ts';
import type { LoadOptions } from './load.ts';

/** Bytes of a constraint file at most. */
const MOST_BYTES = 4 * 2 ** 20;

/**
 * The constraint that `--constraint` and `--eight-bit` ask for, for samples of `shape`. A mask that the file names lies beside it.
 * Errors: those of {@link constraintFrom} and {@link eightBit}, `data/unreadable`, `data/too-large`.
 */
export async function openConstraint(
  { constraint: path, eightBit: isEightBit, signal }: Pick<LoadOptions, 'constraint' | 'eightBit' | 'signal'>,
  shape: readonly number[],
  range: readonly [number, number],
  columns: readonly string[] | undefined,
): Promise<Constraint | undefined> {
  const length = elementCount(shape);
  const all: Constraint[] = [];
  if (path !== undefined) {
    const text = await textOf(path);
    const openMask = async (file: string) => {
      if (!/\.npy$/i.test(file)) return readGreyImage(resolve(dirname(path), file));
      const mask = await openDataset(resolve(dirname(path), file), signal ? { signal } : {});
      try {
        const values = Float64Array.from((await mask.read(0, mask.n, signal)) as ArrayLike<number>, Number);
        return { values, shape: mask.n === 1 ? mask.sampleShape : [mask.n, ...mask.sampleShape] };
      } finally {
        await mask.close();
      }
    };
    all.push(await constraintFrom(text, path, { shape, columns, range, openMask }));
  }
  if (isEightBit) {
    if (!range.every(Number.isFinite))
      throw new GlacisError(
        'option/invalid',
        '--eight-bit: expected a known range of the input, got none; give it with --range LOW,HIGH',
      );
    all.push(eightBit(range, length));
  }
  return all.length > 1 ? joined(all, length) : all[0];
}

async function textOf(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > MOST_BYTES)
      throw new GlacisError('data/too-large', `${path}: expected at most ${MOST_BYTES} bytes, got ${size}`);
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if (thrown instanceof GlacisError) throw thrown;
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new GlacisError('data/unreadable', `${path}: cannot be read: ${reason}`, { cause: thrown });
  }
}
