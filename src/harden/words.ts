import type { Comparison, ComparisonRow, ContrastVerdict } from '../assess/index.ts';

/** What changed between before (the first model) and after (the second). */
export interface Changes {
  /** A sentence for each attack, or their worst case, and radius; and one for samples that nobody attacks. */
  readonly attacked: readonly string[];
  readonly clean: readonly string[];
  /** `lower` where it is so under any attack, else `higher` where it is under any. */
  readonly robust: ContrastVerdict;
  readonly accuracy: ContrastVerdict | undefined;
}

/** Reads a comparison of two. */
export function changesIn({ rows }: Comparison): Changes {
  const clean = rows.find(({ kind }) => kind === 'clean');
  // One attack is its own worst case and has no row for it.
  const several = rows.filter(({ kind }) => kind === 'worst');
  const worst = several.length > 0 ? several : rows.filter(({ kind }) => kind === 'attack');
  const verdicts = worst.map(({ contrasts }) => contrasts[0]!.verdict);
  return {
    attacked: worst.map((row) => changeWords(`Under ${attackWords(row)}`, row)),
    clean: clean ? [changeWords('Without an attack', clean)] : [],
    robust: (['lower', 'higher'] as const).find((each) => verdicts.includes(each)) ?? 'no difference shown',
    accuracy: clean?.contrasts[0]?.verdict,
  };
}

/** What hardening against attacks gained and cost, a sentence each. */
export function outcomeWords(comparison: Comparison): readonly string[] {
  const { attacked, clean, robust, accuracy } = changesIn(comparison);
  return [...attacked, ...clean, robustWords(robust, accuracy === 'lower')];
}

function attackWords({ attacks, norm, eps }: ComparisonRow): string {
  const who = attacks.length > 1 ? `the strongest of ${attacks.length} attacks` : attacks[0];
  return `${who} at ${norm} ${amount(eps!)}`;
}

function changeWords(where: string, { rates, contrasts }: ComparisonRow): string {
  const [before, after] = rates;
  const [contrast] = contrasts;
  const { verdict, corrected, interval } = contrast!;
  const sure =
    verdict === 'no difference shown'
      ? `no difference shown, p = ${amount(corrected)}`
      : `95 % interval of the difference ${points(interval[0])} to ${points(interval[1])} points, p = ${amount(corrected)}`;
  return `${where} the model is right on ${percent(before!.accuracy)} before and ${percent(after!.accuracy)} after (${sure}).`;
}

function robustWords(robust: ContrastVerdict, isPaid: boolean): string {
  switch (robust) {
    case 'lower':
      return 'Hardening made the model weaker: keep the old one, and give training more time or another radius.';
    case 'higher':
      return isPaid
        ? 'It withstands more now, and pays with accuracy on samples that nobody attacks.'
        : 'It withstands more now, at no price in accuracy that these samples show.';
    default:
      return 'Nothing shows that hardening helped: give training more time, more data or a larger network.';
  }
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const points = (share: number) =>
  `${share > 0 ? '+' : share < 0 ? '−' : ''}${Math.abs(100 * share).toFixed(1)}`;
const amount = (value: number) => String(Number(value.toPrecision(2)));
