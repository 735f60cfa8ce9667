import type { ClassRates, Comparison, ComparisonRow } from '../../assess/compare/comparison.ts';
import { count, percent } from '../format.ts';
import { className } from '../gallery.ts';
import { html, type Markup } from '../markup.ts';
import { forest, reachOf } from './forest.ts';
import { letter } from './models.ts';
import { circumstance, points, telling } from './words.ts';

/** Classes in one table; of more, those with the largest differences are shown. */
const SHOWN = 20;

/** Where the difference lies: the headline's row class by class. */
export function classesSection(comparison: Comparison): Markup | null {
  const rows = comparison.models.slice(1).map((_, j) => telling(comparison, 0, j + 1));
  const most = Math.max(0, ...rows.map((row) => row?.classes?.length ?? 0));
  if (most < 2) return null;
  return html`<section>
<h2>Class by class</h2>
<p class="lead">Right answers by true class. The intervals are for looking where a difference lies: of ${count(most)} some miss 0 by chance, so none of them is a verdict.</p>
${rows.map((row, j) => row?.classes && table(comparison, row, row.classes, j))}
</section>`;
}

function table(comparison: Comparison, row: ComparisonRow, all: readonly ClassRates[], j: number): Markup {
  const size = ({ differences }: ClassRates) => Math.abs(differences[j]!.difference);
  const chosen = new Set([...all].sort((a, b) => size(b) - size(a)).slice(0, SHOWN));
  const shown = all.filter((each) => chosen.has(each));
  const reach = reachOf(all.map(({ differences }) => differences[j]!.interval));
  const [first, later] = [comparison.models[0]!.label, comparison.models[j + 1]!.label];
  return html`<h3>${letter(comparison, j + 1)}beside ${letter(comparison, 0)}${circumstance(row)}</h3>
<div class="scroll" tabindex="0" role="region" aria-label="Table of the classes"><table class="attacks">
<thead><tr><th>Class</th><th class="num extra">Samples</th><th class="num">${first} right</th><th class="num">${later} right</th><th class="num">Points</th><th class="forest-cell">95&nbsp;% confidence</th></tr></thead>
<tbody>${shown.map(({ label, rates, differences }) => {
    const { difference, interval } = differences[j]!;
    const [a, b] = [rates[0]!, rates[j + 1]!];
    const share = (rate: typeof a) => (rate.n === 0 ? 'none' : percent(rate.right / rate.n));
    const samples = a.n === b.n ? count(a.n) : `${count(a.n)}, ${count(b.n)}`;
    return html`<tr><td>${className(comparison.classNames, label)}</td><td class="num extra">${samples}</td><td class="num">${share(a)}</td><td class="num">${share(b)}</td><td class="num strong">${points(difference)}</td><td class="forest-cell">${forest(difference, interval, reach, difference > 0 ? 'higher' : difference < 0 ? 'lower' : undefined)}</td></tr>`;
  })}</tbody>
</table></div>
${shown.length < all.length && html`<p class="muted">The ${count(shown.length)} classes with the largest differences, of ${count(all.length)}; the JSON holds all.</p>`}`;
}
