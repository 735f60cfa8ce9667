import type { Calibration } from '../../assess/calibration/calibration.ts';
import type { DetectorResult, TemperatureResult } from '../../assess/defence/result.ts';
import { count, percent } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { ATTACKER_NAMES } from './words.ts';

/** What the detector tells and what passes it. */
export function detectorSection({
  squeezers,
  threshold,
  falsePositiveRate,
  samples,
  passed,
  rows,
}: DetectorResult): Markup {
  return html`<section>
<h2>What the detector rejects</h2>
<p class="lead">It compares the answer to a picture with those to squeezed ones (${squeezers.join(', ')}) and rejects pictures whose distance is above ${Number(threshold.toPrecision(4))}: chosen to reject ${percent(falsePositiveRate)} of ${count(samples)} clean samples; of ${count(passed.n)} others it rejects ${percent(1 - passed.accuracy)}.</p>
<div class="scroll" tabindex="0" role="region" aria-label="What the detector rejects"><table class="attacks">
<thead><tr><th scope="col">Attacker</th><th class="num" scope="col">Fooled the model</th><th class="num" scope="col">Of them rejected</th><th class="num" scope="col">Fooled it and passed</th></tr></thead>
<tbody>${rows.map(({ attacker, n, fooled, rejected }) => html`<tr><th scope="row">${ATTACKER_NAMES[attacker]}</th><td class="num">${count(fooled)} of ${count(n)}</td><td class="num">${fooled === 0 ? '–' : percent(rejected / fooled)}</td><td class="num">${n === 0 ? '–' : percent((fooled - rejected) / n)}</td></tr>`)}</tbody></table></div>
</section>`;
}

/** What the temperature changed. */
export function temperatureSection({
  temperature,
  atLimit,
  samples,
  before,
  after,
}: TemperatureResult): Markup {
  const row = (title: string, value: (of: Calibration) => string) =>
    html`<tr><th scope="row">${title}</th><td class="num">${value(before)}</td><td class="num">${value(after)}</td></tr>`;
  return html`<section>
<h2>How sure the model is</h2>
<p class="lead">${atLimit ? html`Its logits are left as they are, because the ${count(samples)} samples set no limit to a temperature; fit it on more.` : html`Its logits are divided by ${Number(temperature.toPrecision(4))}, fitted on ${count(samples)} samples.`} On ${count(before.n)} others:</p>
<div class="scroll" tabindex="0" role="region" aria-label="Calibration before and after"><table class="attacks">
<thead><tr><th scope="col">Figure</th><th class="num" scope="col">Before</th><th class="num" scope="col">After</th></tr></thead>
<tbody>
${row('accuracy', (c) => percent(c.accuracy))}
${row('mean confidence', (c) => percent(c.confidence))}
${row('calibration error, bins of equal width', (c) => c.ece.toFixed(4))}
${row('calibration error, bins of equal mass', (c) => c.eceEqualMass.toFixed(4))}
${row('log-loss', (c) => c.nll.toFixed(4))}
${row('Brier score', (c) => c.brier.toFixed(4))}
</tbody></table></div>
</section>`;
}
