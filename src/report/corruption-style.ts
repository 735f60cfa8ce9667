import { HEAT_STYLE } from './heat-style.ts';

/** What the section on common corruptions adds to the style of all pages. */
export const CORRUPTION_STYLE = `${HEAT_STYLE}
.corrupted{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,230px),1fr));gap:16px 22px;margin-top:14px}
.corrupted figure{margin:0;break-inside:avoid}.corrupted figcaption{font-size:13.5px;margin:0 0 5px;color:var(--muted)}
.corrupted .row{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:5px}
.corrupted img{display:block;width:100%;height:auto;border-radius:4px;background:var(--soft)}
.heat-parts+h3{margin-top:30px}
.heat-parts{display:grid;grid-template-columns:minmax(0,auto) minmax(0,1fr);gap:26px 48px;align-items:start}
@media screen and (max-width:900px){.heat-parts{grid-template-columns:minmax(0,1fr)}}
@media print{.heat-parts{grid-template-columns:auto minmax(0,1fr);gap:12pt 20pt}.corrupted{grid-template-columns:repeat(4,minmax(0,1fr));gap:8pt 12pt}}
`;
