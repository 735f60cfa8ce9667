import type { Comparison, ComparisonRow } from '../../assess/compare/comparison.ts';
import { count, interval, percent } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { modelClass, modelList } from './models.ts';
import {
  circumstance,
  headlineOf,
  points,
  pointsBetween,
  pSaid,
  type Standing,
  sentenceOf,
  standingOf,
  telling,
} from './words.ts';

/** How a model stands, as a label. */
const CHIPS: Readonly<Record<Standing, (label: string) => string>> = {
  more: (label) => `${label} withstands more`,
  less: (label) => `${label} withstands less`,
  mixed: (label) => `${label} withstands more here, less there`,
  open: (label) => `${label}: no difference shown`,
};

/** The headline, the big figures, a sentence for the clean answers, and what to read with care. */
export function verdictSection(comparison: Comparison): Markup {
  const row = telling(comparison);
  const clean = comparison.rows.find(({ kind }) => kind === 'clean');
  return html`<section class="verdict">
${modelList(comparison)}
<p>${comparison.models.slice(1).map(({ label }, j) => {
    const standing = standingOf(comparison, j);
    return html`<span class="chip ${standing}">${CHIPS[standing](label)}</span> `;
  })}</p>
<h1>${headlineOf(comparison)}</h1>
${row && figures(comparison, row)}
<ul class="said">${[comparison.models.length > 2 ? row : undefined, clean].flatMap((each) => each?.contrasts.map((contrast) => html`<li>${sentenceOf(comparison, each, contrast)}</li>`) ?? [])}</ul>
${comparison.notes.length > 0 && html`<div class="care"><b>Read with care</b><ul>${comparison.notes.map((note) => html`<li>${note}</li>`)}</ul></div>`}
</section>`;
}

function figures(comparison: Comparison, row: ComparisonRow): Markup {
  const { rates, contrasts } = row;
  const [only, ...more] = contrasts;
  return html`<div class="figures ${more.length > 0 && 'many'}">
${rates.map(
  ({ n, accuracy, confidence }, i) =>
    html`<div class="${modelClass(i)}"><span class="figure model">${percent(accuracy)}</span><span class="what">${comparison.models[i]!.label} right</span><span class="muted">${circumstance(row)}, of ${count(n)}; 95&nbsp;% confidence <span class="option">${interval(confidence)}</span></span></div>`,
)}
${only && more.length === 0 && html`<div><span class="figure">${points(only.difference)}</span><span class="what">points of difference</span><span class="muted">95&nbsp;% confidence <span class="option">${pointsBetween(only.interval)}</span>; <span class="option">${pSaid(only.corrected)}</span></span></div>`}
</div>`;
}
