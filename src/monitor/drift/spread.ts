import { percent } from './column.ts';
import { type Rows, rowsWhere } from './rows.ts';

/** Whose doing a shift is. */
export interface Spread {
  readonly kind: 'attack' | 'drift';
  /** Callers by their part in it, the largest first; empty where it is nobody's doing. Of drift only where it is a few callers' own. */
  readonly principals: readonly string[];
  /** Whether it shows in single bursts and the like alone, which must not hide what lasts. */
  readonly isPassing?: boolean;
  /** Why it looks like an attack, or like drift. */
  readonly why: string;
  readonly figures: Readonly<Record<string, number | readonly number[] | readonly string[]>>;
}

/** So few callers may be behind what is called an attack, and so much of the shift must be theirs. */
const FEW = 3;
const MOST_OF_IT = 0.8;
/** Of those few, who holds less of it than this share is not named: chance puts somebody after the first one. */
const NAMED = 0.1;
/** The rest is calm with at least this p-value, on at least so many rows. */
const CALM_SCORE = 2;
const ENOUGH = 30;
/** Fewer rows are nobody's. */
const FEWEST = 10;
/** Callers who send so much of calm traffic are not told from it. */
const HALF = 0.5;

/** How callers came to send what they send. */
export interface History {
  readonly how: 'slow' | 'as before';
  readonly words: string;
}

/** What is known beside the window. */
export interface SpreadMore {
  /** Share of a caller in calm traffic. */
  readonly calmShare: (principal: string) => number;
  /** Tests a window without some of its rows: −log₁₀ p. */
  readonly scoreOfRest: (rest: Rows) => number;
  /** How many rows of a caller say something of their own; all of them unless given. */
  readonly distinct?: ((caller: string) => number) | undefined;
  /** Latest rows of everybody but these callers, where the window holds too few of them. */
  readonly othersOf?: ((callers: ReadonlySet<string>) => Rows | undefined) | undefined;
  /** How these callers changed over time, in words, where that is no attack's way: slowly, or not at all. */
  readonly history?: ((callers: ReadonlySet<string>) => History | undefined) | undefined;
}

/**
 * Decides whether a shift comes from one or few callers. Each row says how much it speaks for the shift; per caller that is summed. Attack-like: at most three callers hold four fifths
 * of it in inputs that are not all alike, without them the rest of the window is calm, they are not half of the usual traffic, and they changed at once. Otherwise drift-like: the world changed for
 * many, theirs changed slowly, or nobody can tell.
 *
 * @param excess of each row, as a verdict has it
 */
export function spreadOf(
  rows: Rows,
  excess: Float64Array,
  { calmShare, scoreOfRest, distinct, othersOf, history }: SpreadMore,
): Spread {
  const parts = new Map<string, { sum: number; rows: number }>();
  let total = 0;
  for (let i = 0; i < rows.n; i++) {
    const name = rows.principals[i]!;
    const part = parts.get(name) ?? { sum: 0, rows: 0 };
    part.sum += excess[i]!;
    part.rows++;
    parts.set(name, part);
    total += excess[i]!;
  }
  const ranked = [...parts].sort((a, b) => b[1].sum - a[1].sum);
  const share = (sum: number) => (total > 0 ? sum / total : 0);
  const top = ranked
    .slice(0, FEW)
    .map(([name, part]) => ({ name, share: share(part.sum), rows: part.rows / rows.n }));
  const figures = {
    callers: parts.size,
    topCallers: top.map(({ name }) => name),
    shareOfShift: top.map((each) => round(each.share)),
    shareOfRows: top.map((each) => round(each.rows)),
  };
  const drift = (why: string): Spread => ({ kind: 'drift', principals: [], why, figures });
  const passing = (why: string): Spread => ({ ...drift(why), isPassing: true });
  if (rows.n < FEWEST)
    return drift(
      `Drift-like as far as one can tell: it shows in ${rows.n} rows, too few to say whose doing it is.`,
    );
  const named = (names: readonly string[]) =>
    names.filter((name, i) => i === 0 || share(parts.get(name)!.sum) >= NAMED);
  /** Where few are behind it and it is drift all the same. */
  const excused = (names: readonly string[], shares: string): Spread | undefined => {
    const few = new Set(names);
    const lasting = names.filter((name) => (distinct?.(name) ?? FEWEST) >= FEWEST);
    if (lasting.reduce((sum, name) => sum + share(parts.get(name)!.sum), 0) < MOST_OF_IT)
      return passing(
        `Drift-like as far as one can tell: ${shares}, in bursts or in runs of what is alike, as of cameras and retries; the monitors of attacks judge those.`,
      );
    const past = history?.(few);
    if (past === undefined) return undefined;
    return past.how === 'slow'
      ? {
          ...{ kind: 'drift', principals: named(names), figures },
          why: `Drift-like: ${shares}, and ${past.words}: what ${names.length === 1 ? 'this caller sends' : 'these callers send'} drifts; attacks do not take that long to begin.`,
        }
      : passing(`Drift-like as far as one can tell: ${shares}, but ${past.words}; there is more of it now.`);
  };
  if (parts.size === 1) {
    const [name] = parts.keys();
    return calmShare(name!) >= HALF
      ? drift(
          'Drift-like as far as one can tell: all rows are of one caller, who sends most of the calm traffic, too.',
        )
      : (excused([name!], 'all rows are of one caller') ??
          attack(
            [name!],
            `Attack-like: all rows are of ${name || 'one caller'}, who sent ${percent(calmShare(name!))} of calm traffic.`,
            figures,
          ));
  }
  let [held, count] = [0, 0];
  while (count < Math.min(FEW, parts.size) && held < MOST_OF_IT) held += top[count++]!.share;
  const names = top.slice(0, count).map(({ name }) => name);
  const shares = `the ${count === 1 ? 'first caller holds' : `first ${count} callers hold`} ${percent(held)} of it`;
  if (held < MOST_OF_IT) return drift(`Drift-like: it is spread over ${parts.size} callers; ${shares}.`);
  const usual = names.reduce((sum, name) => sum + calmShare(name), 0);
  if (usual >= HALF)
    return drift(
      `Drift-like as far as one can tell: ${shares}, but they send ${percent(usual)} of calm traffic, too.`,
    );
  const few = new Set(names);
  const own = rowsWhere(rows, (row) => !few.has(rows.principals[row]!));
  const rest = own.n < ENOUGH ? (othersOf?.(few) ?? own) : own;
  if (rest.n < ENOUGH)
    return (
      excused(names, shares) ??
      attack(
        named(names),
        `Attack-like: ${shares}, and they sent ${percent(usual)} of calm traffic.`,
        figures,
      )
    );
  const score = scoreOfRest(rest);
  const withRest = { ...figures, pOfRest: 10 ** -score };
  return score >= CALM_SCORE
    ? {
        ...drift(
          `Drift-like: ${shares}, but the others moved, too (p = ${(10 ** -score).toExponential(0)} without them).`,
        ),
        figures: withRest,
      }
    : (excused(names, shares) ??
        attack(
          named(names),
          `Attack-like: ${shares}, and without them the other ${rest.n} rows of ${new Set(rest.principals).size} callers are calm (p = ${(10 ** -score).toPrecision(2)}).`,
          withRest,
        ));
}

function attack(principals: readonly string[], why: string, figures: Spread['figures']): Spread {
  return { kind: 'attack', principals, why, figures };
}

const round = (value: number) => Math.round(1e4 * value) / 1e4;
