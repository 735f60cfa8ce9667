import type { Transfer } from '../../assess/transfer/result.ts';
import { percent } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { headlineOf, isTransfer, methodOf } from './words.ts';

/** The models, the headline, what was done, and what to read with care. */
export function verdictSection(transfer: Transfer): Markup {
  const { models, status, statusReason, notes } = transfer;
  const much = isTransfer(transfer);
  return html`<section class="verdict">
<ul class="models">${models.map(({ label, name, access, n, right }) => html`<li><span class="letter">${label}</span>${name} <span class="muted">${n > 0 && html`${percent(right / n)} right`}${access === 'endpoint' && ', answers only'}</span></li>`)}</ul>
${status === 'partial' && html`<p class="partial"><b>Not finished:</b> ${statusReason ?? 'stopped before all examples were made'}. What is here was verified all the same.</p>`}
<p><span class="chip ${much ? 'much' : 'little'}">${much ? 'Examples transfer' : 'No transfer shown'}</span></p>
<h1>${headlineOf(transfer)}</h1>
<p class="story">${methodOf(transfer)}</p>
${notes.length > 0 && html`<div class="care"><b>Read with care</b><ul>${notes.map((note) => html`<li>${note}</li>`)}</ul></div>`}
</section>`;
}
