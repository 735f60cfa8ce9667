import { HEAT_STYLE } from '../heat-style.ts';

/** What a transfer matrix adds to the style of all pages. Cells of a model's own examples have an outline. */
export const TRANSFER_STYLE = `${HEAT_STYLE}
.models{list-style:none;display:flex;flex-wrap:wrap;gap:8px;margin:0 0 18px;padding:0;font-size:15px}
.models li{background:var(--soft);border-radius:9px;padding:6px 13px;min-width:0;overflow-wrap:anywhere}
.letter{font-weight:720;margin-right:6px}
.chip.much{background:var(--changed-ink)}.chip.little{background:var(--held)}
.matrix{border-spacing:3px}
.matrix td{min-width:92px;padding:9px 8px;font-size:16px;font-weight:650}
.matrix td .below{display:block;font-size:12px;font-weight:400;margin-top:1px}
.matrix td.own{outline:2px solid var(--muted);outline-offset:-2px}
.matrix td.clean{background:none;font-size:14px;font-weight:400}
.matrix thead th.num,.matrix tbody th{vertical-align:middle}
.matrix th .model-name{color:var(--muted);font-size:13px}.matrix thead th .model-name{display:block;max-width:110px;overflow:hidden;text-overflow:ellipsis;margin:0 auto}
.matrix tbody th .model-name{display:inline-block;max-width:220px;overflow:hidden;text-overflow:ellipsis;vertical-align:bottom}
.matrix.many td{min-width:74px;padding:9px 3px}.matrix.many thead .model-name{display:none}
.key.outline{background:none;border:2px solid var(--muted)}
.legend+h3{margin-top:34px}
.care{background:var(--warn);border-radius:9px;padding:13px 18px 6px;margin-top:22px}.care ul{margin:4px 0 6px;padding-left:20px}.care li{margin-bottom:5px}
@media screen and (max-width:760px){.matrix td{min-width:64px;padding:7px 4px;font-size:14px}.matrix td .below{font-size:10.5px}.matrix thead th .model-name,.matrix tbody th .model-name{display:none}.matrix th:first-child{white-space:normal;width:66px;padding-right:4px}}
@media print{.matrix td{min-width:48pt;padding:4pt;font-size:10pt}.matrix td .below{font-size:7.5pt}}
`;
