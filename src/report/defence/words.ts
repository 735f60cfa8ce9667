import type { Attacker, DefenceEvaluation, DefenceRow, DetectorRow } from '../../assess/defence/result.ts';
import { percent } from '../format.ts';

/** Who attacks, in a few words. */
export const ATTACKER_NAMES: Readonly<Record<Attacker | DetectorRow['attacker'], string>> = {
  clean: 'nobody',
  unaware: 'does not know of the defence',
  direct: 'follows its gradient as it is',
  adaptive: 'passes steps, averages draws',
  margin: 'looks at margins',
  asking: 'only asks',
  worst: 'the best of them, sample by sample',
  'detector-aware': 'attacks all squeezed pictures at once',
};

/** Points of percentage, e.g. "+12.5 points", "−0.5 points". */
export function points(difference: number): string {
  const value = (100 * Math.abs(difference)).toFixed(1);
  return `${difference < 0 && value !== '0.0' ? '−' : '+'}${value} points`;
}

/** What the defence is worth, in two or three sentences. */
export function defenceVerdict({ rows }: Pick<DefenceEvaluation, 'rows'>): string {
  const row = (attacker: Attacker): DefenceRow => rows.find((each) => each.attacker === attacker)!;
  const [clean, unaware, direct, worst] = [row('clean'), row('unaware'), row('direct'), row('worst')];
  const cost = `Without an attack the defended model is right on ${percent(clean.defended.accuracy)} (undefended ${percent(clean.undefended.accuracy)}).`;
  const seems = `Under examples made without knowing of the defence it keeps ${percent(unaware.defended.accuracy)} (undefended ${percent(unaware.undefended.accuracy)}), under one that follows its gradient as it is ${percent(direct.defended.accuracy)}, under the best of all attackers ${percent(worst.defended.accuracy)} (undefended ${percent(worst.undefended.accuracy)}).`;
  return `${cost} ${seems} ${gain(Math.max(unaware.difference, direct.difference), worst)}`;
}

/** The verdict in a few words, for a headline. */
export function gainOf(rows: readonly DefenceRow[]): string {
  const { difference, p } = rows.find((each) => each.attacker === 'worst')!;
  if (p >= 0.05) return 'No gain is shown against attackers who know of the defence';
  return difference < 0
    ? `Attackers who know of the defence do better than before, by ${points(-difference).slice(1)}`
    : `${points(difference).slice(1)} of robust accuracy gained against these attackers`;
}

function gain(claimed: number, { difference, interval: [low, high], p }: DefenceRow): string {
  const range = `95 % interval ${points(low)} to ${points(high)}`;
  if (p >= 0.05)
    return claimed > 0
      ? `Of the ${points(claimed)} that it seems to gain, none is shown to be real (${points(difference)}, ${range}).`
      : `No gain is shown (${points(difference)}, ${range}).`;
  if (difference < 0) return `It makes the model weaker (${points(difference)}, ${range}).`;
  return claimed > difference
    ? `Of the ${points(claimed)} that it seems to gain, ${points(difference)} are real (${range}).`
    : `${points(difference)} are real (${range}).`;
}
