/** What a training report adds to the style of all pages. */
export const TRAINING_STYLE = `
.learning h3{margin-top:22px}
.in-training .line{stroke-dasharray:7 5;stroke-width:1.9}
.kept{stroke:var(--muted);stroke-width:1.2;stroke-dasharray:2 4}
.settings td:first-child{white-space:nowrap;color:var(--muted);padding-right:18px}
`;
