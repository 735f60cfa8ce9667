import { sentenceOf } from '../../privacy/statement.ts';
import type { TrainingRecord } from '../../train/record.ts';
import { count } from '../format.ts';
import { html, type Markup } from '../markup.ts';

/** What a private run promises, what all runs on its data do, and who may see this page; nothing for other runs. */
export function privacySection({ privacy, epochs }: TrainingRecord): Markup {
  if (!privacy) return html``;
  const { statements, allRuns, warnings, rewritten, start } = privacy;
  const isForOwner = epochs.some(({ loss, norm }) => loss !== undefined || norm !== undefined);
  return html`<section class="privacy">
<h2>What is promised about each training sample</h2>
${statements.length === 0 ? html`<p class="partial"><b>Nothing:</b> the noise of this run can be drawn again.</p>` : html`<ul>${statements.map((each) => html`<li>${sentenceOf(each)}</li>`)}</ul>`}
<p class="story">It holds for the weights in the file, whatever is done with them: ${count(privacy.steps)} steps of ${count(Math.round(privacy.expectedBatch))} samples on average, noise ${Number(privacy.noise.toPrecision(4))}. ${start === 'drawn' ? 'The weights were drawn anew before the first step.' : 'It rests on the user’s word that the weights before the first step were not learned from these samples.'}${rewritten.length > 0 && ` BatchNormalization, which mixes samples, was rewritten in ${rewritten.length} layers.`}</p>
${allRuns && allRuns.runs > 1 && html`<p class="story">All ${count(allRuns.runs)} private runs on this data set that the ledger knows promise together: ${sentenceOf(allRuns.statement)}.</p>`}
${warnings.map((warning) => html`<p class="partial"><b>Warning:</b> ${warning}.</p>`)}
${isForOwner && html`<p class="partial"><b>For the owner of the data only.</b> The promise is about the weights. Figures on training samples on this page have no noise; the record beside the model has none of them.</p>`}
</section>`;
}
