import type { Assessment, EvasionResult, SecurityCurve } from '../assess/result.ts';
import { count, NORM_NAMES, percent, radius } from './format.ts';
import { html, type Markup } from './markup.ts';

/** How near the nearest examples are: the eps that halves the accuracy, and what each minimum-norm attack found. */
export function nearestSection(assessment: Assessment): Markup | null {
  const curves = assessment.curves ?? [];
  const rows = minimumRows(assessment);
  if (curves.length === 0 || rows.length === 0) return null;
  return html`<section>
<h2>How near the nearest changed answers are</h2>
${curves.map((curve) => html`<p class="lead">${halvingSentence(curve)}</p>`)}
<div class="scroll" tabindex="0" role="region" aria-label="Table of the nearest examples"><table class="attacks">
<thead><tr><th>Attack</th><th>Distance</th><th class="num">Found</th><th class="num">Nearest quarter within</th><th class="num">Median</th><th class="num">Three quarters within</th></tr></thead>
<tbody>${rows.map(row)}</tbody></table></div>
</section>`;
}

/** Each minimum-norm attack once: its figures are the same at every eps. */
function minimumRows({ results }: Assessment): readonly EvasionResult[] {
  return [...new Map(results.filter((r) => r.minimum).map((r) => [r.perSample, r])).values()];
}

function row({ attack, norm, minimum }: EvasionResult): Markup {
  const { found, n, quartiles } = minimum!;
  return html`<tr><td>${attack}</td><td>${NORM_NAMES[norm]}</td><td class="num">${count(found)} of ${count(n)}</td>${quartiles.map((q) => html`<td class="num">${q === null ? 'not reached' : radius(q)}</td>`)}</tr>`;
}

/** The eps at which half of the right answers are gone, in a sentence. */
export function halvingSentence({ norm, halving, points, n }: SecurityCurve): string {
  const clean = points[0]?.[1] ?? 0;
  const last = points.at(-1);
  if (halving !== null)
    return `Half of the right answers can be changed within ${NORM_NAMES[norm]} ${radius(halving)} (${percent(clean)} of ${count(n)} were right before).`;
  return last && last[0] > 0
    ? `Fewer than half of the right answers were changed in ${NORM_NAMES[norm]} at any distance that was tried: ${percent(last[1])} still stand at ${radius(last[0])}.`
    : `No answer was changed in ${NORM_NAMES[norm]}.`;
}
