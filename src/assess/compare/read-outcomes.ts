import type { FileHandle } from 'node:fs/promises';
import { GlacisError } from '../../core/error.ts';
import { openBelow } from '../../core/open-below.ts';
import { fileSource } from '../../data/byte-source.ts';
import { openNpz } from '../../data/npz.ts';
import type { StoredArray } from '../../data/stored-array.ts';

/** What happened to each sample; arrays of length n. */
export interface Outcomes {
  /** Number of each sample in the data. */
  readonly index: Int32Array;
  /** Labels: class numbers or targets, one or several a sample. */
  readonly labels: Int32Array | Float32Array;
  /** 1 where the model was right before the attack. */
  readonly cleanCorrect: Uint8Array;
  /** 1 where the attack changed a right answer. */
  readonly success: Uint8Array;
  /** How far the attack went. */
  readonly distance: Float32Array;
  /** 1 where the attack came to an end. */
  readonly decided: Uint8Array;
}

/** Bytes of a header and slack beside the elements of an array. */
const HEADER = 1 << 16;

/**
 * Reads a file of per-sample outcomes, as `writePerSample` writes it. `location` is attacker-controlled: it must name a
 * plain file below `folder`. Every array must be of the right type with one entry for each of the `n` samples.
 *
 * Errors: `result/invalid` (a location outside the folder, other arrays than expected), `data/unreadable` (no `.npz`),
 * `run/cancelled`.
 */
export async function readOutcomes(
  folder: string,
  location: string,
  n: number,
  where: string,
  signal?: AbortSignal,
): Promise<Outcomes> {
  const shown = JSON.stringify(location.slice(0, 120).toWellFormed());
  const handle: FileHandle = await openBelow(
    folder,
    location,
    (reason, cause) =>
      new GlacisError(
        'result/invalid',
        `${where}: per-sample file ${shown}: expected a plain file in ${folder}, but ${reason}; --root FOLDER names the folder below which such files may lie`,
        { cause },
      ),
  );
  const place = `${where}: ${shown}`;
  const source = fileSource(handle, (await handle.stat()).size, place);
  try {
    const keys = ['index', 'label', 'clean_correct', 'success', 'distance', 'decided'] as const;
    const { arrays } = await openNpz(source, keys, place, 8 * n + HEADER, signal);
    const [index, label, clean, success, distance, decided] = arrays;
    const read = async (
      key: string,
      array: StoredArray | undefined,
      types: readonly string[],
      mostAxes = 1,
    ) => {
      const fits = array && array.shape.length <= mostAxes && array.shape[0] === n;
      if (!fits || !types.includes(array.type))
        throw new GlacisError(
          'result/invalid',
          `${place}: expected ${key} of ${types.join(' or ')} [${n}], got ${array ? `${array.type} [${array.shape.join(', ')}]` : 'none'}; was the file written by another run?`,
        );
      return array.read(0, n, signal);
    };
    const flags = async (key: string, array: StoredArray | undefined) =>
      (await read(key, array, ['bool'])) as Uint8Array;
    return {
      index: (await read('index', index, ['int32'])) as Int32Array,
      labels: (await read('label', label, ['int32', 'float32'], 2)) as Int32Array | Float32Array,
      cleanCorrect: await flags('clean_correct', clean),
      success: await flags('success', success),
      distance: (await read('distance', distance, ['float32'])) as Float32Array,
      decided: await flags('decided', decided),
    };
  } finally {
    await source.close();
  }
}
