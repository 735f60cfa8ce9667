/**
 * What a comparison adds to the style of all pages. Lines of the chart: the first model is grey, as it is what the others
 * are held against. In pairs: blue for answers that only the later model gives right, vermilion for those that only the
 * first one does, grey where both agree.
 */
export const COMPARISON_STYLE = `
:root{--s0:#66727e;--s1:#2471a8;--s2:#0a8a68;--s3:#b3568f;--s4:#a87a00;--s5:#6c5fb0;--agree:#cfd5d9;--fail:#8b96a0}
@media screen and (prefers-color-scheme:dark){:root{--s0:#a3afba;--s1:#5caee6;--s2:#3fc79d;--s3:#e08dbd;--s4:#e3bb45;--s5:#aba0ec;--agree:#3a4652;--fail:#66737f}}
.models{list-style:none;display:flex;flex-wrap:wrap;gap:8px;margin:0 0 18px;padding:0;font-size:15px}
.models li{background:var(--soft);border-radius:9px;padding:6px 13px;min-width:0;overflow-wrap:anywhere}
.letter{color:var(--c);font-weight:720;margin-right:5px}
.chip.more{background:var(--held)}.chip.less,.chip.mixed{background:var(--changed-ink)}
.figures.many{grid-template-columns:repeat(auto-fit,minmax(150px,1fr))}.figure.model{color:var(--c)}
.said{list-style:none;margin:0 0 4px;padding:0;max-width:82ch}.said li{padding:7px 0;border-top:1px solid var(--line)}
.care{background:var(--warn);border-radius:9px;padding:13px 18px 6px;margin-top:22px}.care ul{margin:4px 0 6px;padding-left:20px}.care li{margin-bottom:5px}
.beside{display:grid;grid-template-columns:minmax(0,300px) minmax(0,1fr);gap:20px 44px;align-items:center}
.beside+h3,.scroll+h3{margin-top:28px}
.square{display:block;width:100%;max-width:300px;height:auto}
rect.both{fill:var(--agree)}rect.neither{fill:var(--fail)}rect.gained{fill:var(--held)}rect.lost{fill:var(--changed)}
.key.both{background:var(--agree)}.key.neither{background:var(--fail)}.key.gained{background:var(--held)}.key.lost{background:var(--changed)}
rect.frame{fill:none;stroke:var(--line)}
.cell-count{font-size:19px;font-weight:680}.cell-word{font-size:12.5px;fill:var(--muted)}
.flows{list-style:none;margin:0;padding:0}.flows li{padding:8px 0}
.flows .row{display:flex;justify-content:space-between;gap:4px 14px;flex-wrap:wrap;font-size:14.5px;margin-bottom:4px}
.flows svg{display:block;width:100%;height:16px;border-radius:4px}
.forest{display:block;width:170px;height:20px}.forest .zero{stroke:var(--muted);stroke-width:1}
.forest .span{stroke:var(--c);stroke-width:2}.forest .dot{fill:var(--c)}
.forest.higher{--c:var(--held)}.forest.lower{--c:var(--changed)}.forest.open{--c:var(--fail)}
.attacks th.forest-cell{text-align:center}
b.higher{color:var(--held-ink)}b.lower{color:var(--changed-ink)}
@media screen and (max-width:760px){.beside{grid-template-columns:minmax(0,1fr)}.square{max-width:260px;margin:0 auto}.forest{width:120px}.attacks td.what-cell,.attacks td.verdict-cell{white-space:normal}.what-cell .muted{white-space:nowrap}.compared th,.compared td{padding-right:7px;font-size:13.5px}.figures.many{grid-template-columns:1fr 1fr}.figures.many>div:last-child{grid-column:auto}}
@media print{.forest{width:110px}.beside{grid-template-columns:200px minmax(0,1fr)}}
`;
