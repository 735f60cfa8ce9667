import type { Calibration } from '../assess/calibration/calibration.ts';
import type { Generalisation, Population } from '../assess/generalisation/generalisation.ts';
import { count, interval, percent } from './format.ts';
import { html, type Markup } from './markup.ts';

/** How the model treats its training data beside other data: what it has learned by heart, an attacker can tell. */
export function generalisationSection(found: Generalisation | undefined): Markup | null {
  if (!found) return null;
  const { members, others, membership } = found;
  const row = (title: string, value: (of: Population) => Markup | string) =>
    html`<tr><th scope="row">${title}</th><td class="num">${value(members)}</td><td class="num">${value(others)}</td></tr>`;
  const figure = (value: (of: Calibration) => number) => (of: Population) => value(of.calibration).toFixed(4);
  return html`<section>
<h2>What it was trained on, and what it was not</h2>
<p class="lead">${generalisationSummary(found)}</p>
<div class="scroll" tabindex="0" role="region" aria-label="Training data beside other data"><table class="attacks">
<thead><tr><th>Figure</th><th class="num" scope="col">Training data</th><th class="num" scope="col">Other data</th></tr></thead>
<tbody>
${row('samples', ({ rate }) => count(rate.n))}
${row('accuracy', ({ rate }) => html`${percent(rate.accuracy)} <span class="muted small">${interval(rate.confidence)}</span>`)}
${row('mean confidence', ({ calibration }) => percent(calibration.confidence))}
${row(
  'log-loss',
  figure((c) => c.nll),
)}
${row(
  'Brier score',
  figure((c) => c.brier),
)}
${row(
  'calibration error, bins of equal width',
  figure((c) => c.ece),
)}
${row(
  'calibration error, bins of equal mass',
  figure((c) => c.eceEqualMass),
)}
${row('called training data by a threshold', (of) => {
  const rate = of === members ? membership.truePositives : membership.falsePositives;
  return html`${percent(rate.accuracy)} <span class="muted small">${interval(rate.confidence)}</span>`;
})}
</tbody></table></div>
<p class="muted small">The threshold calls training data whatever the model has a log-loss below ${membership.threshold.toPrecision(3)} on; it was chosen on half of the samples and judged on the other half. AUC over all samples: ${membership.auc.toFixed(3)}. It is the simplest attack there is: attackers with models of their own find more. Calibration errors are a little too high in small samples.</p>
</section>`;
}

/** The gaps in two sentences; also for the terminal. */
export function generalisationSummary({ members, others, accuracyGap, membership }: Generalisation): string {
  const { difference, interval: range } = membership.advantage;
  const gap = `Accuracy is ${percent(members.rate.accuracy)} on training data and ${percent(others.rate.accuracy)} on other data, a gap of ${signed(accuracyGap.difference)} points (${ends(accuracyGap.interval)}).`;
  const told =
    range[0] > 0
      ? `A threshold on the loss tells them apart: advantage ${signed(difference)} points (${ends(range)}).`
      : `A threshold on the loss does not tell them apart: advantage ${signed(difference)} points (${ends(range)}).`;
  return `${gap} ${told}`;
}

const signed = (share: number) => (100 * share).toFixed(1).replace('-', '−');
const ends = ([low, high]: readonly [number, number]) => `95 % interval ${signed(low)} to ${signed(high)}`;
