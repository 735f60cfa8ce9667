import type { CorruptionExamples } from '../assess/corruption/examples.ts';
import type { CorruptionErrors, CorruptionResult } from '../assess/corruption/result.ts';
import { CORRUPTION_FAMILIES, type CorruptionFamily } from '../threat/corruption/corruption.ts';
import { CORRUPTIONS } from '../threat/corruption/registry.ts';
import { corruptionPictures, corruptionTitle } from './corruption-pictures.ts';
import { count, interval, percent, radius } from './format.ts';
import { heatClass } from './heat-style.ts';
import { html, type Markup } from './markup.ts';

const FAMILY_NAMES: Readonly<Record<CorruptionFamily | 'other', string>> = {
  noise: 'Noise',
  blur: 'Blur',
  weather: 'Weather',
  digital: 'Digital',
  other: 'Other',
};

const NOISE_NAMES = { uniform: 'Uniform, of at most', gaussian: 'Gaussian, of standard deviation' } as const;

/**
 * Common corruptions: the figures, a heat map of errors by corruption and severity, random noise, and one sample under all of them.
 * The page needs `CORRUPTION_STYLE`.
 *
 * @throws GlacisError `data/mismatch` when the examples' sizes do not fit
 */
export function corruptionSection(
  result: CorruptionResult | undefined,
  examples?: CorruptionExamples,
): Markup | null {
  if (!result || (result.corruptions.length === 0 && result.noises.length === 0)) return null;
  const { n, corruptions, noises, notes } = result;
  return html`<section>
<h2>Without an attacker: common corruptions</h2>
<p class="lead">What noise, blur, weather and processing do to ${count(n)} answers. Nobody chooses these changes, so the errors are no bound on what an attacker can do; a model in use meets them all the same. Corruptions and severities are those of Hendrycks and Dietterich (2019), made anew by Glacis.</p>
${notes?.map((note) => html`<p class="partial">${note}</p>`)}
${figures(result)}
<div class="heat-parts">${corruptions.length > 0 && heatMap(result)}${noises.length > 0 && noiseTable(result)}</div>
${examples && examples.items.length > 0 && corruptionPictures(examples)}
</section>`;
}

function figures({
  cleanAccuracy,
  meanCorruptionError,
  confidence,
  relative,
  corruptions,
}: CorruptionResult): Markup {
  return html`<div class="figures">
<div><span class="figure">${percent(1 - cleanAccuracy)}</span><span class="what">clean error</span><span class="muted">wrong without a corruption</span></div>
${
  meanCorruptionError !== undefined &&
  confidence &&
  html`<div><span class="figure lost">${percent(meanCorruptionError)}</span><span class="what">mean corruption error</span><span class="muted">over ${count(corruptions.length)} corruptions and all severities; 95&nbsp;% confidence <span class="option">${interval(confidence)}</span></span></div>`
}
${
  relative?.meanCorruptionError !== undefined &&
  html`<div><span class="figure">${ratio(relative.meanCorruptionError)}</span><span class="what">mCE</span><span class="muted">errors in units of ${relative.baseline}${relative.relativeMeanCorruptionError !== undefined && html`; relative mCE <span class="option">${ratio(relative.relativeMeanCorruptionError)}</span>`}</span></div>`
}
</div>`;
}

function heatMap(result: CorruptionResult): Markup {
  const { severities, corruptions, relative } = result;
  const byFamily = Map.groupBy(corruptions, familyOf);
  const columns = severities.length + 2 + (relative ? 1 : 0);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Errors by corruption and severity"><table class="heat">
<thead><tr><th>Wrong in %, by severity</th>${severities.map((severity) => html`<th class="num" scope="col">${severity}</th>`)}<th class="num" scope="col">mean</th>${relative && html`<th class="num" scope="col">to ${relative.baseline}</th>`}</tr></thead>
<tbody>${[...CORRUPTION_FAMILIES, 'other' as const].map((family) => {
    const rows = byFamily.get(family);
    return (
      rows &&
      html`<tr><th class="family" colspan="${columns}" scope="rowgroup">${FAMILY_NAMES[family]}</th></tr>${rows.map((each) => row(result, each))}`
    );
  })}</tbody>
</table></div>`;
}

function row(
  { severities, relative }: CorruptionResult,
  { corruption, errors, meanError }: CorruptionErrors,
): Markup {
  const title = corruptionTitle(corruption);
  const theirs = relative?.corruptions.find((each) => each.corruption === corruption)?.corruptionError;
  return html`<tr><th scope="row">${title}</th>${errors.map((error, i) => cell(error, '', `${title}, severity ${severities[i]}`))}${cell(meanError, 'mean', `${title}, mean`)}${relative && html`<td class="aside">${theirs === undefined || theirs === null ? '–' : ratio(theirs)}</td>`}</tr>`;
}

/** An error with a colour as strong as the error is large. */
function cell(error: number, kind: string, what: string): Markup {
  return html`<td class="${heatClass(error)} ${kind}" title="${what}: ${percent(error)} wrong">${(100 * error).toFixed(1)}</td>`;
}

function noiseTable({ noises }: CorruptionResult): Markup {
  const byNoise = Map.groupBy(noises, ({ noise }) => noise);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Errors under random noise"><table class="heat">
<thead><tr><th>Random noise</th><th class="num" scope="col">wrong in %</th></tr></thead>
<tbody>${[...byNoise].map(([noise, rows]) => html`<tr><th class="family" colspan="2" scope="rowgroup">${NOISE_NAMES[noise]}</th></tr>${rows.map(({ amount, error }) => html`<tr><th scope="row">${radius(amount)}</th>${cell(error, '', `${NOISE_NAMES[noise]} ${radius(amount)}`)}</tr>`)}`)}</tbody>
</table></div>`;
}

/** A ratio of errors as a percentage; above 100 % is worse than the baseline. */
function ratio(value: number): string {
  return `${(100 * value).toFixed(1)}\u00a0%`;
}

function familyOf({ corruption }: CorruptionErrors): CorruptionFamily | 'other' {
  return CORRUPTIONS.find(({ id }) => id === corruption)?.family ?? 'other';
}
