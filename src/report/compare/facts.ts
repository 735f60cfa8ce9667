import type { Comparison } from '../../assess/compare/comparison.ts';
import { digest, group } from '../facts-section.ts';
import { count, moment } from '../format.ts';
import { html, type Markup } from '../markup.ts';

/** Which results were compared. */
export function factsSection({ models }: Comparison): Markup {
  return html`<section>
<h2>What was compared</h2>
<div class="facts">
${models.map(({ label, name, digest: model, file, status, seed, glacis, startedAt, data }) =>
  group(`${label}${label === models[0]!.label ? ', which the others are held against' : ''}`, [
    ['model', name],
    ['digest', digest(model)],
    ['result', html`<code>${file}</code>`],
    ['data', data.description],
    ['digest', digest(data.digest)],
    ['samples', count(data.n)],
    ['run', `seed ${seed}, Glacis ${glacis}, ${moment(startedAt)}, ${status}`],
  ]),
)}
</div>
</section>`;
}

/** The limits of what the figures say. */
export function limitsSection({ paired }: Comparison): Markup {
  return html`<section class="limits">
<h2>What this does not say</h2>
<ul>
<li><b>"No difference shown" is not "equal".</b> With more samples a difference may show; the interval says how large it may be.</li>
<li><b>Robust accuracy is an upper bound on both sides.</b> A model that only hides its gradients looks robust until a stronger attack comes. Compare with several attacks, some without gradients, before you believe a gain.</li>
<li><b>The p-values are about the choice of samples</b>, not about the training: another training run of the same recipe may come out elsewhere.</li>
<li><b>The intervals are not corrected</b> for how many there are; the verdicts are. ${paired ? 'An interval is an approximation (Newcombe), the test is exact, so they may part near the limit.' : 'The samples were taken as unrelated, which sees only larger differences.'}</li>
</ul>
</section>`;
}
