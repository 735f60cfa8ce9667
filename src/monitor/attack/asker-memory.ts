import { z } from 'zod';
import type { Askers } from './askers.ts';
import { ROW } from './calm-rows.ts';
import { type Asker, freshAsker } from './extraction-evidence.ts';
import { CAPITALS } from './odd-chances.ts';

const whole = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
const time = z.number().nullable();

/** What is remembered of askers, but for their arrays. */
export const keptAskersSchema = z
  .array(
    z.tuple([z.string(), whole, whole, whole, whole, whole, whole, time, time, z.array(z.string()).max(16)]),
  )
  .max(65_536);

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** What is to be remembered: plain JSON as {@link keptAskersSchema} has it, and arrays. */
export function keepAskers({ known, common }: Askers): {
  readonly plain: z.input<typeof keptAskersSchema>;
  readonly arrays: Readonly<Record<string, Float64Array>>;
} {
  const list = [...known.entries()].map(([, asker]) => asker);
  const joined = (of: (asker: Asker) => ArrayLike<number>, length: number) => {
    const out = new Float64Array(list.length * length);
    for (const [i, asker] of list.entries()) out.set(of(asker), i * length);
    return out;
  };
  return {
    plain: list.map(({ name, n, nBefore, rows, odd, counted, asked, first, last, shown }) => [
      name,
      n,
      nBefore,
      rows,
      odd,
      counted,
      asked,
      finite(first),
      finite(last),
      shown,
    ]),
    arrays: {
      now: joined(({ now }) => now, ROW),
      before: joined(({ before }) => before, ROW),
      centres: joined(({ centre }) => centre, ROW),
      means: joined(({ mean }) => mean, ROW),
      capitals: joined(({ chances }) => chances.capitals, CAPITALS),
      common,
    },
  };
}

/** Puts askers back; nothing where arrays are not of their sizes. */
export function restoreAskers(
  askers: z.output<typeof keptAskersSchema>,
  { now, before, centres, means, capitals, common }: Readonly<Record<string, unknown>>,
  watch: Askers,
): void {
  const fits = (array: unknown, length: number): array is Float64Array =>
    array instanceof Float64Array && array.length === length && array.every((value) => !Number.isNaN(value));
  const n = askers.length;
  if (
    !fits(now, n * ROW) ||
    !fits(before, n * ROW) ||
    !fits(centres, n * ROW) ||
    !fits(means, n * ROW) ||
    !fits(capitals, n * CAPITALS) ||
    !fits(common, ROW)
  )
    return;
  watch.common.set(common);
  for (const [i, [name, count, nBefore, rows, odd, counted, asked, first, last, shown]] of askers.entries()) {
    const asker = watch.known.at(name, () => freshAsker(name, first ?? 0));
    Object.assign(asker, {
      n: count,
      nBefore,
      rows,
      odd,
      counted,
      asked,
      last: last ?? 0,
      shown: [...shown],
    });
    asker.now.set(now.subarray(i * ROW, (i + 1) * ROW));
    asker.before.set(before.subarray(i * ROW, (i + 1) * ROW));
    asker.centre.set(centres.subarray(i * ROW, (i + 1) * ROW));
    asker.mean.set(means.subarray(i * ROW, (i + 1) * ROW));
    asker.chances.capitals.set(capitals.subarray(i * CAPITALS, (i + 1) * CAPITALS));
    asker.evidence = asker.chances.evidence();
  }
}
