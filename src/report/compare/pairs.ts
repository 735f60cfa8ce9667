import type { Comparison, ComparisonRow } from '../../assess/compare/comparison.ts';
import type { PairedCounts } from '../../core/statistics/difference.ts';
import { count, percent } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { budgetName, budgetRows, circumstance, telling } from './words.ts';

/** Side of the largest square, and of its cell. */
const SIDE = 96;
const CELL = 128;
/** Room for the words beside the squares. */
const LEFT = 44;
const TOP = 30;

/** How the answers to the same samples fall together, for each later model. */
export function pairsSection(comparison: Comparison): Markup | null {
  if (!comparison.paired || !telling(comparison)) return null;
  const first = comparison.models[0]!.label;
  return html`<section>
<h2>Answer by answer</h2>
<p class="lead">Every model answered the same samples. Where both are right or both wrong, the answers say nothing about a difference; the test looks only at those that one model gets right and the other does not.</p>
${comparison.models.slice(1).map(({ label }, j) => {
  const row = telling(comparison, 0, j + 1)!;
  const pairs = row.contrasts[j]!.pairs!;
  return html`<h3>${label} beside ${first} ${circumstance(row)}</h3>
<div class="beside">${square(pairs, first, label)}<div>
<ul class="flows">${[comparison.rows.find(({ kind }) => kind === 'clean'), ...budgetRows(comparison)].map((each) => each && flow(each, j, first, label))}</ul>
${key(first, label)}</div></div>`;
})}
</section>`;
}

/** The four counts as squares whose areas are to scale. */
function square(pairs: PairedCounts, first: string, later: string): Markup {
  const n = pairs.both + pairs.onlyFirst + pairs.onlySecond + pairs.neither;
  const cell = (kind: string, samples: number, column: number, line: number) => {
    const side = Math.round(SIDE * Math.sqrt(samples / Math.max(1, n)) * 10) / 10;
    const [x, y] = [LEFT + column * CELL + CELL / 2, TOP + line * CELL];
    return html`<g><rect class="frame" x="${x - CELL / 2 + 6}" y="${y}" width="${CELL - 12}" height="${CELL - 6}" rx="7"/><rect class="${kind}" x="${x - side / 2}" y="${y + (SIDE - side) / 2 + 2}" width="${side}" height="${side}" rx="3"/><text class="cell-count" x="${x}" y="${y + SIDE + 21}" text-anchor="middle">${count(samples)}</text><title>${count(samples)} (${percent(samples / Math.max(1, n))})</title></g>`;
  };
  const middle = (i: number) => i * CELL + CELL / 2;
  return html`<svg class="square" viewBox="0 0 ${LEFT + 2 * CELL} ${TOP + 2 * CELL}" role="img" aria-label="${pairs.both} right in both, ${pairs.onlyFirst} only in ${first}, ${pairs.onlySecond} only in ${later}, ${pairs.neither} in neither">
<text class="cell-word" x="${LEFT + middle(0)}" y="16" text-anchor="middle">${later} right</text><text class="cell-word" x="${LEFT + middle(1)}" y="16" text-anchor="middle">${later} wrong</text>
<text class="cell-word" transform="translate(16 ${TOP + SIDE / 2}) rotate(-90)" text-anchor="middle">${first} right</text><text class="cell-word" transform="translate(16 ${TOP + CELL + SIDE / 2}) rotate(-90)" text-anchor="middle">${first} wrong</text>
${cell('both', pairs.both, 0, 0)}${cell('lost', pairs.onlyFirst, 1, 0)}${cell('gained', pairs.onlySecond, 0, 1)}${cell('neither', pairs.neither, 1, 1)}
</svg>`;
}

/** One row as a bar of all its samples. */
function flow(row: ComparisonRow, j: number, first: string, later: string): Markup {
  const pairs = row.contrasts[j]!.pairs!;
  const n = Math.max(1, row.rates[0]!.n);
  let x = 0;
  const part = (kind: string, samples: number) => {
    const width = (samples / n) * 100;
    const rect = html`<rect class="${kind}" x="${x.toFixed(3)}" y="0" width="${Math.max(0, width - 0.2).toFixed(3)}" height="10"/>`;
    x += width;
    return samples > 0 && rect;
  };
  return html`<li><div class="row"><b>${budgetName(row) || 'no attack'}</b><span class="muted">only ${later} right <b class="right">${count(pairs.onlySecond)}</b>, only ${first} <b class="wrong">${count(pairs.onlyFirst)}</b></span></div><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">${part('both', pairs.both)}${part('gained', pairs.onlySecond)}${part('lost', pairs.onlyFirst)}${part('neither', pairs.neither)}</svg></li>`;
}

function key(first: string, later: string): Markup {
  const entries = [
    ['both', 'both right'],
    ['gained', `only ${later} right`],
    ['lost', `only ${first} right`],
    ['neither', 'both wrong'],
  ] as const;
  return html`<p class="legend">${entries.map(([kind, words]) => html`<span class="entry"><span class="key ${kind}"></span>${words}</span> `)}</p>`;
}
