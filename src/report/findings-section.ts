import { type Assessment, type Finding, SEVERITIES } from '../assess/result.ts';
import { html, type Markup } from './markup.ts';

/** The findings as cards, the gravest first. */
export function findingsSection({ findings }: Pick<Assessment, 'findings'>): Markup {
  const sorted = [...findings].sort(
    (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity),
  );
  return html`<section>
<h2>Findings</h2>
${sorted.length === 0 ? html`<p class="lead">No finding was recorded. That is no proof of safety: see what this does not say.</p>` : html`<div class="findings">${sorted.map(card)}</div>`}
</section>`;
}

function card({ id, title, severity, taxonomy, evidence, remedy }: Finding): Markup {
  const tags = [
    ...taxonomy.atlas.map((each) => `ATLAS ${each}`),
    ...taxonomy.owasp.map((each) => `OWASP ${each}`),
    ...taxonomy.nist.map((each) => `NIST ${each}`),
  ];
  return html`<article class="finding ${severity}">
<p class="severity">${pips(severity)} ${severity}</p>
<h3>${title}</h3>
<p>${evidence}</p>
${remedy !== '' && html`<p class="remedy"><b>What to do.</b> ${remedy}</p>`}
<p class="tags"><code>${id}</code>${tags.map((tag) => html`<span>${tag}</span>`)}</p>
</article>`;
}

/** Severity as filled pips, so that it does not depend on colour. */
function pips(severity: Finding['severity']): Markup {
  const filled = SEVERITIES.length - 1 - SEVERITIES.indexOf(severity);
  return html`<svg class="pips" viewBox="0 0 46 10" aria-hidden="true">${[0, 1, 2, 3].map((i) => html`<circle class="${i < filled ? 'full' : 'hollow'}" cx="${5 + i * 12}" cy="5" r="4"/>`)}</svg>`;
}
