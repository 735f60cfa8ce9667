/** Steps of the colour. */
export const HEAT_STEPS = 20;
/** From this step on the colour is strong enough to need dark letters in both themes. */
const DARK_LETTERS = 0.6 * HEAT_STEPS;

const STEPS = Array.from(
  { length: HEAT_STEPS + 1 },
  (_, i) =>
    `.heat td.h${i}{background:color-mix(in srgb,var(--changed) ${Math.round((100 / HEAT_STEPS) * i)}%,var(--soft))}`,
).join('');

/** The style of a table that is a heat map: the larger the share, the more vermilion. Cells have the class `h0` to `h20`. */
export const HEAT_STYLE = `
.heat{width:auto;font-size:14px;border-collapse:separate;border-spacing:2px}
.heat th{font-weight:400;text-align:left;padding:3px 12px 3px 0;white-space:nowrap}.heat thead th.num{text-align:center;padding:3px 4px}
.heat tbody th.family{padding-top:12px;font-weight:650;color:var(--muted);font-size:13px}
.heat td{text-align:center;min-width:58px;padding:5px 4px;border-radius:4px}.heat td.mean{font-weight:680}.heat td.aside{color:var(--muted);min-width:70px}
.heat td.dark{color:#10151b}
${STEPS}
@media screen and (max-width:760px){.heat td{min-width:42px;padding:4px 2px;font-size:13px}.heat th{padding-right:6px}.heat td.aside{min-width:50px}}
@media print{.heat{font-size:8.5pt}.heat td{min-width:38pt;padding:2pt}}
`;

/** The class of a cell that shows a share between 0 and 1; strong colours take dark letters in both themes. */
export function heatClass(share: number): string {
  const step = Math.round(share * HEAT_STEPS);
  return step >= DARK_LETTERS ? `h${step} dark` : `h${step}`;
}
