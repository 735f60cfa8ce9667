import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import type { OutputGuardKind } from '../output-guard.ts';
import { cellsOf } from './input-cell.ts';
import { keyedHash } from './keyed-hash.ts';
import { likeliest } from './likeliest.ts';

/** Options of the guard. */
export const watermarkOptions = z.strictObject({
  rate: z
    .number({ error: 'a number above 0 and at most 0.05' })
    .gt(0, { error: 'a number above 0 and at most 0.05' })
    .max(0.05, { error: 'a number above 0 and at most 0.05' })
    .default(0.005)
    .describe('Share of inputs that get a wrong class: what the proof costs in accuracy.'),
});

/** Two classes leave one wrong class, which an innocent model errs towards as well. */
export const LEAST_CLASSES = 3;

/**
 * Stands for the key without giving it away: published before anybody can know which model will be suspected, it shows that the
 * key was not chosen to fit. Hexadecimal.
 */
export function watermarkCommitment(secret: Uint8Array): string {
  return keyedHash(secret, 'glacis watermark commitment v1')(new Uint8Array(0)).toString('hex');
}

/** Whether a sample is marked, and the class it gets then. Sees nothing but key and input. */
export interface Marking {
  /** The cell of a sample. */
  readonly cellOf: (inputs: Float32Array, row: number) => Uint8Array;
  /** The class to answer in place of `from` in a marked cell; undefined where it is not marked. */
  readonly classFor: (cell: Uint8Array, from: number) => number | undefined;
}

/**
 * Marks `rate` of all cells under `secret`; the wrong class is drawn evenly from the others. Both follow from HMAC-SHA256 of the
 * cell. Errors: `option/invalid` for fewer than three classes.
 */
export function markingOf(
  secret: Uint8Array,
  { sampleDims, classes }: { readonly sampleDims: readonly number[]; readonly classes: number },
  rate: number,
): Marking {
  if (classes < LEAST_CLASSES)
    throw new GlacisError(
      'option/invalid',
      `watermark: expected a model of at least ${LEAST_CLASSES} classes, got ${classes}`,
    );
  const keyed = keyedHash(secret, 'glacis watermark v1');
  const threshold = Math.round(rate * 2 ** 48);
  return {
    cellOf: cellsOf(sampleDims, secret),
    classFor(cell, from) {
      const drawn = keyed(cell);
      if (drawn.readUIntBE(0, 6) >= threshold) return undefined;
      // 48 bits over few classes: the bias of the remainder is below 2⁻³⁰.
      return (from + 1 + (drawn.readUIntBE(6, 6) % (classes - 1))) % classes;
    },
  };
}

/**
 * DAWN (Szyller, Atli, Marchal, Asokan 2021, "DAWN: Dynamic Adversarial Watermarking of Neural Networks",
 * https://arxiv.org/abs/1906.00830): a keyed share of inputs gets a wrong class, the same whoever asks and however often. A copy
 * that learns from the answers learns the wrong ones, too, and `glacis watermark verify` finds them. This is the one guard that
 * changes the class.
 *
 * The scores of both classes change places, so the row looks like any other. Deviations: inputs are mapped to cells (see
 * `cellsOf`) in place of a network's latent space, so that who asks for neighbours of an input gets the same wrong class, mostly;
 * one key serves all principals, because two accounts that compare answers would see a difference otherwise, and who got what is
 * written down instead. A copy made from many noisy versions of each input, by majority, loses most marks at that many times the
 * queries.
 */
export const watermark: OutputGuardKind<z.output<typeof watermarkOptions>> = {
  name: 'watermark',
  about: 'gives a keyed share of inputs a wrong class, which proves later that a copy was made',
  options: watermarkOptions,
  make({ rate }, { classifier, secret, marked }) {
    const { cellOf, classFor } = markingOf(secret, classifier, rate);
    return {
      name: 'watermark',
      shape(scores, { inputs, principal }) {
        const { values, n, classes } = scores;
        const floats = inputs();
        const size = floats.length / Math.max(1, n);
        let out: Float32Array | undefined;
        for (let row = 0; row < n; row++) {
          const cell = cellOf(floats, row);
          const from = likeliest(values, row * classes, classes);
          const to = classFor(cell, from);
          if (to === undefined) continue;
          out ??= values.slice();
          const [a, b] = [row * classes + from, row * classes + to];
          [out[a], out[b]] = [out[b]!, out[a]!];
          marked?.({
            principal: principal.id,
            cell: Buffer.from(cell).toString('hex'),
            from,
            to,
            input: floats.slice(row * size, (row + 1) * size),
          });
        }
        return out === undefined ? scores : { ...scores, values: out };
      },
    };
  },
};
