import { type Rows, takeRows } from './rows.ts';

/** What callers sent before, thinned out the further back it lies: from minutes to weeks in a few hundred rows each. */
export interface Trails {
  /** Takes the row at `offset` of `values`. */
  take(values: ArrayLike<number>, offset: number, caller: string, decision: string, at: number): void;
  /** Takes all of these, the oldest first. */
  add(rows: Rows): void;
  /** Rows of these callers, or of all others, the oldest first. Undefined without any. */
  of(callers: ReadonlySet<string>, others?: boolean): Rows | undefined;
  /** All of them, the oldest first; to begin again with {@link Trails.add}. */
  all(): Rows | undefined;
}

/** Callers that are followed; one that was quiet for so long makes room for another. Who comes and goes must not push out who stays. */
const CALLERS = 32;
const QUIET = 86_400_000;

/** Rows of a step of a trail, steps that stand for equally many rows before two of them become one, and sizes of steps. */
const STEP = 12;
const ALIKE = 3;
const SIZES = 8;

interface Step {
  readonly size: number;
  readonly rows: readonly Row[];
}
interface Row {
  /** As float32 holds them; a list, because millions come and go. */
  readonly values: readonly number[];
  readonly decision: string;
  readonly at: number;
}
interface Trail {
  steps: Step[];
  /** Rows that make no step yet. */
  open: Row[];
  last: number;
}

/** Opens trails for rows of `width` numbers. Memory: at most 32 callers × 300 rows. */
export function openTrails(width: number): Trails {
  const trails = new Map<string, Trail>();
  /** Nobody was last heard of before this. */
  let earliest = Number.POSITIVE_INFINITY;
  const trailOf = (caller: string, at: number): Trail | undefined => {
    const known = trails.get(caller);
    if (known !== undefined) return known;
    if (trails.size >= CALLERS) {
      if (!(at - earliest > QUIET)) return undefined;
      earliest = Math.min(...Array.from(trails.values(), ({ last }) => last));
      const quiet = [...trails].find(([, { last }]) => at - last > QUIET);
      if (quiet === undefined) return undefined;
      trails.delete(quiet[0]);
    }
    const trail: Trail = { steps: [], open: [], last: at };
    earliest = Math.min(earliest, at);
    trails.set(caller, trail);
    return trail;
  };
  const collect = (isWanted: (caller: string) => boolean): Rows | undefined => {
    const found: { readonly caller: string; readonly row: Row }[] = [];
    for (const [caller, { steps, open }] of trails) {
      if (!isWanted(caller)) continue;
      for (const { rows } of steps) for (const row of rows) found.push({ caller, row });
      for (const row of open) found.push({ caller, row });
    }
    if (found.length === 0) return undefined;
    found.sort((a, b) => a.row.at - b.row.at);
    const values = new Float32Array(found.length * width);
    for (const [i, { row }] of found.entries()) values.set(row.values, i * width);
    return {
      ...{ n: found.length, width, values },
      principals: found.map(({ caller }) => caller),
      decisions: found.map(({ row }) => row.decision),
      at: Float64Array.from(found, ({ row }) => row.at),
    };
  };
  const take: Trails['take'] = (values, offset, caller, decision, at) => {
    const trail = trailOf(caller, at);
    if (trail === undefined) return;
    trail.last = Math.max(trail.last, at);
    const own: number[] = [];
    for (let i = 0; i < width; i++) own.push(Math.fround(values[offset + i]!));
    trail.open.push({ values: own, decision, at });
    if (trail.open.length < STEP) return;
    trail.steps.push({ size: 0, rows: trail.open });
    trail.open = [];
    join(trail);
  };
  return {
    take,
    add(rows) {
      for (let i = 0; i < rows.n; i++)
        take(rows.values, i * width, rows.principals[i]!, rows.decisions[i]!, rows.at[i]!);
    },
    of: (callers, others = false) => collect((caller) => callers.has(caller) !== others),
    all: () => collect(() => true),
  };
}

/** Joins the two oldest of too many steps of a size: every other row of each stays. */
function join(trail: Trail): void {
  for (let size = 0; size < SIZES; size++) {
    const [first, second, ...more] = trail.steps.filter((step) => step.size === size);
    if (first === undefined || second === undefined || 2 + more.length <= ALIKE) return;
    const rows = [...first.rows, ...second.rows].filter((_, i) => i % 2 === 0);
    const at = trail.steps.indexOf(first);
    if (size === SIZES - 1) trail.steps.splice(at, 1);
    else trail.steps.splice(at, 2, { size: size + 1, rows });
  }
}

/** The latest `most` rows. */
export function latestOf(rows: Rows, most: number): Rows {
  const from = Math.max(0, rows.n - most);
  return takeRows(
    rows,
    Array.from({ length: rows.n - from }, (_, i) => from + i),
  );
}
