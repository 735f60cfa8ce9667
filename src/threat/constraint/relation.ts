/** A linear relation of some elements of a row: `low ≤ Σ by[i] · x[at[i]] ≤ high`, in the model's input units. */
export interface Relation {
  readonly at: readonly number[];
  readonly by: readonly number[];
  readonly low: number;
  readonly high: number;
  /** In words, for messages. */
  readonly title: string;
  /** Whether rows of real data must satisfy it; if not, an example may miss it as far as the clean row does. */
  readonly strict?: boolean;
}

/** Relative slack for the rounding of float32 values. */
export const ROUNDING = 2 ** -22;

/** `Σ by[i] · x[at[i]]`. */
export function sumOf({ at, by }: Relation, x: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < at.length; i++) sum += by[i]! * x[at[i]!]!;
  return sum;
}

/** The relation as wide as the clean row needs it. */
export function widened(relation: Relation, clean: ArrayLike<number>): Relation {
  if (relation.strict) return relation;
  const value = sumOf(relation, clean);
  if (value >= relation.low && value <= relation.high) return relation;
  return { ...relation, low: Math.min(relation.low, value), high: Math.max(relation.high, value) };
}

/** How far the value may miss the relation because float32 rounds. */
export function slackOf({ at, by }: Relation, x: ArrayLike<number>, clean: ArrayLike<number>): number {
  let size = 0;
  for (let i = 0; i < at.length; i++)
    size += Math.abs(by[i]!) * Math.max(Math.abs(x[at[i]!]!), Math.abs(clean[at[i]!]!));
  return ROUNDING * size;
}

/** What the value lacks (above 0) or exceeds (below 0); 0 where the relation holds exactly. */
export function missing(relation: Relation, x: ArrayLike<number>): number {
  const value = sumOf(relation, x);
  return value < relation.low ? relation.low - value : value > relation.high ? relation.high - value : 0;
}

/** Whether a relation that is already {@link widened} holds, up to rounding. */
export function holds(relation: Relation, x: ArrayLike<number>, clean: ArrayLike<number>): boolean {
  return Math.abs(missing(relation, x)) <= slackOf(relation, x, clean);
}
