import type { StateArray } from '../../detect/state-bytes.ts';
import type { Sighting } from '../sighting.ts';

/** Numbers of samples with who sent them: what a window or a reference is made of. In the order of time where it matters. */
export interface Rows {
  readonly n: number;
  readonly width: number;
  /** Row-major `[n, width]`; may hold NaN and infinities. */
  readonly values: Float32Array;
  /** One a row; the empty text for nobody. */
  readonly principals: readonly string[];
  readonly decisions: readonly string[];
  /** Milliseconds since 1970. */
  readonly at: Float64Array;
}

/** Most characters of a caller's name that are kept. */
const MOST_NAME = 256;

/** A caller's name as rows hold it. */
export function nameOf(principal: string | undefined): string {
  return principal === undefined
    ? ''
    : principal.length > MOST_NAME
      ? principal.slice(0, MOST_NAME)
      : principal;
}

/** Whom a call is of: the principal, or the address of one who is not known. */
export function callerOf({ principal, address }: Sighting): string {
  return nameOf(principal ?? address);
}

/** The rows of which `keep` holds. */
export function rowsWhere(rows: Rows, keep: (row: number) => boolean): Rows {
  const kept: number[] = [];
  for (let i = 0; i < rows.n; i++) if (keep(i)) kept.push(i);
  return takeRows(rows, kept);
}

/** The rows at these places. */
export function takeRows(
  { width, values, principals, decisions, at }: Rows,
  places: readonly number[],
): Rows {
  const n = places.length;
  const taken = new Float32Array(n * width);
  for (const [i, from] of places.entries())
    taken.set(values.subarray(from * width, (from + 1) * width), i * width);
  return {
    n,
    width,
    values: taken,
    principals: places.map((from) => principals[from]!),
    decisions: places.map((from) => decisions[from]!),
    at: Float64Array.from(places, (from) => at[from]!),
  };
}

/** One after another; all of one width, at least one. */
export function joinRows(all: readonly Rows[]): Rows {
  const { width } = all[0]!;
  const n = all.reduce((sum, each) => sum + each.n, 0);
  const values = new Float32Array(n * width);
  const at = new Float64Array(n);
  let from = 0;
  for (const each of all) {
    values.set(each.values, from * width);
    at.set(each.at, from);
    from += each.n;
  }
  return {
    ...{ n, width, values, at },
    principals: all.flatMap(({ principals }) => principals),
    decisions: all.flatMap(({ decisions }) => decisions),
  };
}

/** Rows as plain JSON and arrays, for a snapshot or a calibration. */
export interface KeptRows {
  readonly plain: {
    readonly width: number;
    readonly names: readonly string[];
    readonly decisions: readonly string[];
  };
  readonly arrays: { readonly values: Float32Array; readonly who: Int32Array; readonly at: Float64Array };
}

/** Takes rows apart; each name is kept once. */
export function keepRows({ width, values, principals, decisions, at }: Rows): KeptRows {
  const names = new Map<string, number>();
  const who = Int32Array.from(principals, (name) => {
    const known = names.get(name) ?? names.size;
    names.set(name, known);
    return known;
  });
  return { plain: { width, names: [...names.keys()], decisions }, arrays: { values, who, at } };
}

/** Puts rows together again; undefined for what {@link keepRows} did not make. */
export function keptRows(
  plain: unknown,
  { values, who, at }: Readonly<Record<string, StateArray | undefined>>,
): Rows | undefined {
  const { width, names, decisions } = (plain ?? {}) as {
    readonly width?: unknown;
    readonly names?: unknown;
    readonly decisions?: unknown;
  };
  if (!(values instanceof Float32Array && who instanceof Int32Array && at instanceof Float64Array))
    return undefined;
  if (!(Number.isInteger(width) && areTexts(names) && areTexts(decisions))) return undefined;
  const n = at.length;
  if (who.length !== n || decisions.length !== n || values.length !== n * (width as number)) return undefined;
  if (!who.every((index) => index >= 0 && index < names.length)) return undefined;
  return {
    n,
    width: width as number,
    values,
    principals: Array.from(who, (index) => names[index]!),
    decisions,
    at,
  };
}

function areTexts(given: unknown): given is string[] {
  return Array.isArray(given) && given.every((each) => typeof each === 'string' && each.length <= 1024);
}

/** Several rows under their names, as a snapshot's plain JSON and arrays; empty ones are left out. */
export function keepNamedRows(rows: Iterable<readonly [name: string, rows: Rows | undefined]>): {
  readonly plain: Readonly<Record<string, KeptRows['plain']>>;
  readonly arrays: Readonly<Record<string, StateArray>>;
} {
  const kept = [...rows].flatMap(([name, each]) =>
    each === undefined || each.n === 0 ? [] : [[name, keepRows(each)] as const],
  );
  return {
    plain: Object.fromEntries(kept.map(([name, { plain }]) => [name, plain])),
    arrays: Object.fromEntries(
      kept.flatMap(([name, { arrays }]) =>
        Object.entries(arrays).map(([key, array]) => [`${name}.${key}`, array]),
      ),
    ),
  };
}

/** Rows of one name and width out of what {@link keepNamedRows} gave; undefined where there are none, or others. */
export function namedRows(
  plain: unknown,
  arrays: Readonly<Record<string, StateArray | undefined>>,
  name: string,
  width: number,
): Rows | undefined {
  const rows = keptRows((plain as Readonly<Record<string, unknown>> | undefined)?.[name], {
    values: arrays[`${name}.values`],
    who: arrays[`${name}.who`],
    at: arrays[`${name}.at`],
  });
  return rows?.width === width ? rows : undefined;
}
