import type { Comparison, ComparisonRow, ContrastVerdict } from '../assess/index.ts';

/** What hardening gained and cost, a sentence each, from the comparison of before (the first model) and after (the second). */
export function outcomeWords({ rows }: Comparison): readonly string[] {
  const clean = rows.find(({ kind }) => kind === 'clean');
  // One attack is its own worst case and has no row for it.
  const several = rows.filter(({ kind }) => kind === 'worst');
  const worst = several.length > 0 ? several : rows.filter(({ kind }) => kind === 'attack');
  return [
    ...worst.map((row) => changeWords(`Under ${attackWords(row)}`, row)),
    ...(clean ? [changeWords('Without an attack', clean)] : []),
    ...verdictWords(clean, worst),
  ];
}

/** What became of accuracy where nobody attacks: a sentence, and whether a difference was shown. */
export function changeOf({ rows }: Comparison): {
  readonly sentence: readonly string[];
  readonly verdict: ContrastVerdict | undefined;
} {
  const clean = rows.find(({ kind }) => kind === 'clean');
  return {
    sentence: clean ? [changeWords('Without an attack', clean)] : [],
    verdict: clean?.contrasts[0]?.verdict,
  };
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

function verdictWords(clean: ComparisonRow | undefined, worst: readonly ComparisonRow[]): readonly string[] {
  const gained = worst.some(({ contrasts }) => contrasts[0]!.verdict === 'higher');
  const lost = worst.some(({ contrasts }) => contrasts[0]!.verdict === 'lower');
  const paid = clean?.contrasts[0]?.verdict === 'lower';
  if (lost)
    return [
      'Hardening made the model weaker: keep the old one, and give training more time or another radius.',
    ];
  if (!gained)
    return ['Nothing shows that hardening helped: give training more time, more data or a larger network.'];
  return [
    paid
      ? 'It withstands more now, and pays with accuracy on samples that nobody attacks.'
      : 'It withstands more now, at no price in accuracy that these samples show.',
  ];
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const points = (share: number) =>
  `${share > 0 ? '+' : share < 0 ? '−' : ''}${Math.abs(100 * share).toFixed(1)}`;
const amount = (value: number) => String(Number(value.toPrecision(2)));
