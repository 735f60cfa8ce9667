/** Steps of the heat map's colour. */
export const HEAT_STEPS = 20;

const STEPS = Array.from(
  { length: HEAT_STEPS + 1 },
  (_, i) =>
    `.heat td.h${i}{background:color-mix(in srgb,var(--changed) ${Math.round((100 / HEAT_STEPS) * i)}%,var(--soft))}`,
).join('');

/** What the section on common corruptions adds to the style of all pages: the more errors, the more vermilion. */
export const CORRUPTION_STYLE = `
.heat{width:auto;font-size:14px;border-collapse:separate;border-spacing:2px}
.heat th{font-weight:400;text-align:left;padding:3px 12px 3px 0;white-space:nowrap}.heat thead th.num{text-align:center;padding:3px 4px}
.heat tbody th.family{padding-top:12px;font-weight:650;color:var(--muted);font-size:13px}
.heat td{text-align:center;min-width:58px;padding:5px 4px;border-radius:4px}.heat td.mean{font-weight:680}.heat td.aside{color:var(--muted);min-width:70px}
.heat td.dark{color:#10151b}
${STEPS}
.corrupted{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,230px),1fr));gap:16px 22px;margin-top:14px}
.corrupted figure{margin:0;break-inside:avoid}.corrupted figcaption{font-size:13.5px;margin:0 0 5px;color:var(--muted)}
.corrupted .row{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:5px}
.corrupted img{display:block;width:100%;height:auto;border-radius:4px;background:var(--soft)}
.heat-parts+h3{margin-top:30px}
.heat-parts{display:grid;grid-template-columns:minmax(0,auto) minmax(0,1fr);gap:26px 48px;align-items:start}
@media screen and (max-width:900px){.heat-parts{grid-template-columns:minmax(0,1fr)}}
@media screen and (max-width:760px){.heat td{min-width:42px;padding:4px 2px;font-size:13px}.heat th{padding-right:6px}.heat td.aside{min-width:50px}}
@media print{.heat{font-size:8.5pt}.heat td{min-width:38pt;padding:2pt}.heat-parts{grid-template-columns:auto minmax(0,1fr);gap:12pt 20pt}.corrupted{grid-template-columns:repeat(4,minmax(0,1fr));gap:8pt 12pt}}
`;
