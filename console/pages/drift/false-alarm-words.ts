/** A rate of false alarms as a person says it. */
export function falseAlarmWords(perDay: number): string {
  if (perDay >= 0.7) return `${Number(perDay.toFixed(1))} false alarms a day`;
  if (perDay >= 1 / 10) return `one false alarm in ${Math.round(1 / perDay)} days`;
  if (perDay >= 1 / 45) return `one false alarm in ${Math.round(1 / perDay / 7)} weeks`;
  return `one false alarm in ${Math.round(1 / perDay / 30)} months`;
}
