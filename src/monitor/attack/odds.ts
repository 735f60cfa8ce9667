/** Superscripts of the ten digits. */
const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** Evidence (a natural logarithm) as odds that a person can weigh: `3 to 1`, `1,200 to 1`, `10⁸⁴ to 1`. Rounded down: never more than there is. */
export function odds(evidence: number): string {
  const tens = evidence / Math.LN10;
  if (!(tens >= 6)) return `${Math.max(1, Math.floor(Math.exp(evidence))).toLocaleString('en-US')} to 1`;
  const power = [...String(Math.floor(tens))].map((digit) => RAISED[Number(digit)]).join('');
  return `10${power} to 1`;
}
