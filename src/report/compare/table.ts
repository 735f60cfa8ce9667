import type { Comparison, ComparisonRow } from '../../assess/compare/comparison.ts';
import { count, interval, percent } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { forest, reachOf } from './forest.ts';
import { letter } from './models.ts';
import { budgetName, points, pointsBetween, pSaid, pValue, VERDICT_WORDS } from './words.ts';

/** Every row of the comparison, a table for each later model. */
export function tableSection(comparison: Comparison): Markup {
  const { models, rows, paired } = comparison;
  const reach = reachOf(rows.flatMap(({ contrasts }) => contrasts.map((each) => each.interval)));
  const tests = rows.length * (models.length - 1);
  return html`<section>
<h2>Attack by attack</h2>
<p class="lead">Differences in percentage points, the later model minus the first one. ${paired ? 'p is McNemar’s exact test on the answers that differ' : 'p is Fisher’s exact test; the samples are taken as unrelated'}; the corrected p holds for all ${count(tests)} tests on this page together (Holm). A difference is claimed where it is below 0.05.</p>
${models.slice(1).map(
  (_, j) => html`<h3>${letter(comparison, j + 1)}beside ${letter(comparison, 0)}</h3>
<div class="scroll" tabindex="0" role="region" aria-label="Table of the differences"><table class="attacks compared">
<thead><tr><th>Attack</th><th class="num">${models[0]!.label} right</th><th class="num">${models[j + 1]!.label} right</th><th class="num">Points</th><th class="num extra">95&nbsp;% confidence</th><th class="forest-cell extra">fewer · more</th>${paired && html`<th class="num extra">Only ${models[0]!.label}</th><th class="num extra">Only ${models[j + 1]!.label}</th>`}<th class="num">Corrected p</th><th>Verdict</th></tr></thead>
<tbody>${rows.map((row) => line(row, j, reach, paired))}</tbody>
</table></div>`,
)}
</section>`;
}

function line(row: ComparisonRow, j: number, reach: number, paired: boolean): Markup {
  const { difference, interval: between, pairs, p, corrected, verdict } = row.contrasts[j]!;
  const rate = ({ accuracy, confidence, n }: ComparisonRow['rates'][number]) =>
    html`<td class="num" title="95 % confidence ${interval(confidence)}, of ${count(n)}">${percent(accuracy)}</td>`;
  const word = VERDICT_WORDS[verdict];
  return html`<tr><td class="what-cell">${title(row)} <span class="muted">${budgetName(row)}</span></td>${rate(row.rates[0]!)}${rate(row.rates[j + 1]!)}<td class="num strong">${points(difference)}</td><td class="num extra">${pointsBetween(between)}</td><td class="forest-cell extra">${forest(difference, between, reach, verdict)}</td>${paired && html`<td class="num extra">${count(pairs?.onlyFirst ?? 0)}</td><td class="num extra">${count(pairs?.onlySecond ?? 0)}</td>`}<td class="num" title="uncorrected ${pSaid(p)}">${pValue(corrected)}</td><td class="verdict-cell">${verdict === 'no difference shown' ? html`<span class="muted">${word}</span>` : html`<b class="${verdict}">${word}</b>`}</td></tr>`;
}

function title({ kind, attacks }: ComparisonRow): string {
  if (kind === 'attack') return attacks[0] ?? '';
  return kind === 'clean' ? 'no attack' : 'worst case';
}
