/** What an evaluation of a defence adds to the style of all pages. */
export const DEFENCE_STYLE = `
.attackers td,.attackers th{vertical-align:top}
.attackers th .small,.attackers td .small{display:block;font-weight:400}
.attackers code{white-space:normal;overflow-wrap:anywhere}
.attackers svg{display:block;width:100%;min-width:110px;height:22px;margin-top:2px}
.attackers tr.worst th,.attackers tr.worst td{border-top:2px solid var(--muted);font-weight:680}
`;
