import type { PrivateRun } from './private-run.ts';
import type { Direction } from './subsampled-gaussian.ts';

/** How privacy is added up: `pld`: privacy loss distributions, tight; `rdp`: Rényi divergences, never better, quicker. */
export type Accountant = 'pld' | 'rdp';

/**
 * What all runs together promise: whatever is published of them, the probability of any outcome changes by no more than a
 * factor `e^epsilon` (plus `delta`) when one sample is added to or removed from the data. Plain JSON.
 */
export interface PrivacyStatement {
  readonly schema: 'glacis.privacy/1';
  readonly epsilon: number;
  readonly delta: number;
  readonly accountant: Accountant;
  /** The assumption: each sample joins each batch independently, with the run's rate. Shuffled batches promise less. */
  readonly sampling: 'poisson';
  /** Which data sets count as neighbours: those that differ by one sample more or less. */
  readonly neighbours: 'add-or-remove-one';
  /** The runs, equal ones joined. */
  readonly runs: readonly PrivateRun[];
  /** By the PLD accountant: epsilon lies between this and `epsilon`. */
  readonly epsilonLower?: number;
  /** By the PLD accountant, for {@link deltaFor}: delta lies between this and `delta`. */
  readonly deltaLower?: number;
  /** By the PLD accountant: which change decides. */
  readonly direction?: Direction;
  /** By the RDP accountant: the order that gave the least epsilon. */
  readonly order?: number;
  /** By the RDP accountant: all orders that were tried. */
  readonly orders?: readonly number[];
}

/** A statement as one sentence that leaves nothing out that a reader must know. */
export function sentenceOf(statement: PrivacyStatement): string {
  const { epsilon, delta, accountant, epsilonLower, order } = statement;
  const how =
    accountant === 'pld'
      ? `the PLD accountant${epsilonLower === undefined ? '' : ` (not below ${rounded(epsilonLower, 'down')})`}`
      : `the RDP accountant (order ${order})`;
  return `epsilon ${rounded(epsilon, 'up')} at delta ${delta < 1e-3 ? delta.toExponential() : delta}, by ${how}, with Poisson sampling, for data sets that differ by adding or removing one sample`;
}

/** Why `delta` is too large for `samples` samples, or `undefined`: at 1/n, publishing one sample whole would be allowed. */
export function deltaWarning(delta: number, samples: number): string | undefined {
  return delta > 1 / samples
    ? `delta ${delta} is larger than 1/n = ${(1 / samples).toPrecision(3)}: such a promise is met by a model that gives away a whole sample; take a smaller delta`
    : undefined;
}

/** `value` with four digits after the point or, below 0.1, four that count; never on the good side of it. */
function rounded(value: number, way: 'up' | 'down'): string {
  if (value === 0) return '0';
  const digits = Math.min(300, Math.max(4, 3 - Math.floor(Math.log10(value))));
  const [unit, round] = [10 ** -digits, way === 'up' ? Math.ceil : Math.floor];
  return value >= 1e9 ? value.toExponential(4) : (round(value / unit) * unit).toFixed(digits);
}
