/** What the section on reliability adds to the style of all pages. */
export const RELIABILITY_STYLE = `
.checks{list-style:none;margin:18px 0 16px;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr));gap:0 44px}
.check{display:grid;grid-template-columns:104px minmax(0,1fr);gap:0 16px;padding:14px 0 11px;border-top:1px solid var(--line);break-inside:avoid}
.check.suspicious{grid-column:1/-1}
.check h3{margin:0 0 3px}.check p{margin:0 0 4px;max-width:78ch}
.check .mark{display:flex;flex-direction:column;gap:5px;align-items:flex-start;font-size:13px;line-height:1.25;font-weight:620;color:var(--held-ink)}
.check .mark svg{width:20px;height:20px;fill:none;stroke:currentColor;stroke-width:2.2;stroke-linecap:round;stroke-linejoin:round}
.check.suspicious .mark{color:var(--changed-ink)}.check.unknown .mark{color:var(--muted)}.check.unknown h3{color:var(--muted)}
@media screen and (max-width:520px){.check{grid-template-columns:minmax(0,1fr)}.check .mark{flex-direction:row;align-items:center;margin-bottom:4px}}
@media print{.checks{grid-template-columns:1fr 1fr;gap:0 22pt}.check{grid-template-columns:66px minmax(0,1fr);gap:0 8pt;padding:7pt 0 5pt}}
`;
