import { GlacisError } from '../../core/error.ts';
import { type SeriesRules, type SeriesSchema, seriesRules } from './series-schema.ts';

/** Windows whose rules are kept; some hundred kilobytes each where windows are long. */
const KEPT = 64;

/** The rules of a window, or why it can have none. */
export type WindowRules = SeriesRules | string;

/** The rules of a series whose windows have scales of their own. */
export interface ScaledRules {
  /** What is the same for every window: shape, steps, feeds. */
  readonly any: SeriesRules;
  of(window: Float32Array): WindowRules;
}

/**
 * The rules of `schema`, in which columns may say that each window's mean or standard deviation stands in another column (`meanColumn`, `stdColumn`). Those are the
 * same at every step of a window, and no attack may change them: what the attacker moves is the window, and the scale that it was
 * given stays. Rules of some windows are kept, because an attack asks about the same ones again and again.
 * Errors: as {@link seriesRules}; `option/invalid` for a scale that is given twice, or whose column has one itself.
 */
export function scaledRules(schema: SeriesSchema, sampleShape: readonly number[]): ScaledRules {
  const { columns } = schema;
  const places = columns.map(({ meanColumn, stdColumn }) => [meanColumn, stdColumn] as const);
  const holders = new Set(places.flat().filter((i) => i !== undefined));
  check(schema, holders);
  const plain: SeriesSchema = {
    ...schema,
    columns: columns.map((column, i) => (holders.has(i) ? { ...column, immutable: true } : column)),
  };
  const any = seriesRules(plain, sampleShape);
  if (holders.size === 0) return { any, of: () => any };
  /** The value of a column, in the owner's units, that every step of the window holds. */
  const valueIn = (window: Float32Array, i: number): number | undefined => {
    const first = window[any.at(0, i)]!;
    for (let t = 1; t < any.steps; t++) if (window[any.at(t, i)] !== first) return undefined;
    const { mean, std } = any.elements[any.at(0, i)]!.scale;
    return first * std + mean;
  };
  const kept = new Map<string, WindowRules>();
  return {
    any,
    of(window) {
      const values = new Map([...holders].map((i) => [i, valueIn(window, i)]));
      const key = [...values.values()].join();
      const known = kept.get(key);
      if (known !== undefined) return known;
      const found = rulesWith(values);
      if (kept.size === KEPT) kept.clear();
      kept.set(key, found);
      return found;
    },
  };

  function rulesWith(values: ReadonlyMap<number, number | undefined>): WindowRules {
    for (const [i, value] of values)
      if (value === undefined || !Number.isFinite(value))
        return `${nameOf(i)} is not one number for the whole window`;
    for (const [, std] of places)
      if (std !== undefined && !(values.get(std)! > 0)) return `${nameOf(std)} is not above 0`;
    const scaled = plain.columns.map((column, i) => {
      const [mean, std] = places[i]!;
      return {
        ...column,
        ...(mean !== undefined && { mean: values.get(mean)! }),
        ...(std !== undefined && { std: values.get(std)! }),
      };
    });
    return seriesRules({ ...plain, columns: scaled }, sampleShape);
  }

  function nameOf(i: number): string {
    return any.elements[any.at(0, i)]!.name;
  }
}

function check({ columns }: SeriesSchema, holders: ReadonlySet<number>): void {
  for (const [i, { name, mean, std, meanColumn, stdColumn }] of columns.entries()) {
    const refuse = (wanted: string) => {
      throw new GlacisError(
        'option/invalid',
        `${name ?? `column ${i}`}: expected ${wanted}, got another value`,
      );
    };
    for (const at of [meanColumn, stdColumn])
      if (at !== undefined && !(Number.isInteger(at) && at >= 0 && at < columns.length))
        refuse(`meanColumn and stdColumn to be columns of the series`);
    if (mean !== undefined && meanColumn !== undefined) refuse('mean or meanColumn');
    if (std !== undefined && stdColumn !== undefined) refuse('std or stdColumn');
    if (holders.has(i) && (meanColumn ?? stdColumn) !== undefined)
      refuse('no scale of its own in a column that holds one');
  }
}
