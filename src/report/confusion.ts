import type { Assessment, Confusion } from '../assess/result.ts';
import { classBars } from './class-bars.ts';
import { count, counted, NORM_NAMES, percent, radius } from './format.ts';
import { className } from './gallery.ts';
import { legend } from './legend.ts';
import { html, type Markup } from './markup.ts';
import { strongestAt, verdictOf } from './verdict.ts';

/** More classes than this give a list of pairs instead of a grid. */
const GRID_CLASSES = 20;
/** A grid of more classes takes the page's whole width. */
const SIDE_BY_SIDE = 12;
const CELL = 38;

/** Which class falls into which, at the budget of the verdict. */
export function confusionSection(
  assessment: Assessment,
  names: readonly string[] | undefined,
): Markup | null {
  const { worst } = verdictOf(assessment);
  if (!worst) return null;
  const attack = worst.confusion ? undefined : strongestAt(assessment, worst.norm, worst.eps);
  const confusion = worst.confusion ?? attack?.confusion;
  if (!confusion || confusion.cells.length === 0) return null;
  return html`<section>
<h2>Which class falls into which</h2>
<p class="lead">Answers under ${attack ? `the attack ${attack.attack}` : 'the strongest attack on each sample'} at eps ${radius(worst.eps)} (${NORM_NAMES[worst.norm]}); answers that were wrong from the start are among them.</p>
<div class="confusion ${confusion.classes > SIDE_BY_SIDE && 'stacked'}">
${confusion.classes <= GRID_CLASSES && html`<div class="scroll" tabindex="0" role="region" aria-label="Grid of classes">${grid(confusion, names)}</div>`}
${pairs(confusion, names)}
</div>
${classBars(confusion, names)}
</section>`;
}

/** How many samples each class has. */
function rowTotals(confusion: Confusion): ReadonlyMap<number, number> {
  const totals = new Map<number, number>();
  for (const [label, , samples] of confusion.cells) totals.set(label, (totals.get(label) ?? 0) + samples);
  return totals;
}

function grid(confusion: Confusion, names: readonly string[] | undefined): Markup {
  const { classes } = confusion;
  const short = (i: number) => {
    const name = names?.[i] || String(i);
    return name.length > 14 ? `${name.slice(0, 13)}…` : name;
  };
  const longest = Math.max(...Array.from({ length: classes }, (_, i) => short(i).length));
  const left = 30 + longest * 7.5;
  const tilted = longest > 4;
  const top = tilted ? 34 + longest * 5.6 : 46;
  const width = left + classes * CELL + (tilted ? longest * 5.6 : 4);
  const height = top + classes * CELL + 4;
  const totals = rowTotals(confusion);
  return html`<svg class="grid-chart ${classes > SIDE_BY_SIDE && 'large'}" viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}" role="img" aria-label="Grid of true classes (rows) against answers under attack (columns)">
<text class="tick" x="${left}" y="13">answer under attack →</text>
<text class="tick" transform="translate(13 ${top}) rotate(-90)" text-anchor="end">← true class</text>
${Array.from({ length: classes }, (_, i) => {
  const middle = top + (i + 0.5) * CELL + 4.5;
  const x = left + (i + 0.5) * CELL;
  const column = tilted
    ? html`<text class="class" transform="translate(${x + 2} ${top - 7}) rotate(-45)">${short(i)}</text>`
    : html`<text class="class" x="${x}" y="${top - 8}" text-anchor="middle">${short(i)}</text>`;
  return html`<text class="class" x="${left - 8}" y="${middle}" text-anchor="end">${short(i)}</text>${column}`;
})}
${Array.from({ length: classes * classes }, (_, i) => html`<rect class="empty" x="${left + (i % classes) * CELL + 1}" y="${top + Math.floor(i / classes) * CELL + 1}" width="${CELL - 2}" height="${CELL - 2}" rx="3"/>`)}
${confusion.cells.map(([label, answer, samples]) => {
  const share = samples / totals.get(label)!;
  const x = left + answer * CELL;
  const y = top + label * CELL;
  // The square root lifts small shares, which are what one looks for here.
  const opacity = Math.round((0.12 + 0.88 * Math.sqrt(share)) * 100) / 100;
  return html`<g><rect class="${label === answer ? 'held' : 'changed'}" fill-opacity="${opacity}" x="${x + 1}" y="${y + 1}" width="${CELL - 2}" height="${CELL - 2}" rx="3"/><text class="cell ${opacity > 0.62 && (label === answer ? 'on-held' : 'on-changed')}" x="${x + CELL / 2}" y="${y + CELL / 2 + 4.5}" text-anchor="middle">${samples > 9999 ? `${Math.round(samples / 1000)}k` : samples}</text><title>${className(names, label)} → ${className(names, answer)}: ${count(samples)} (${percent(share)} of this class)</title></g>`;
})}
</svg>`;
}

function pairs(confusion: Confusion, names: readonly string[] | undefined): Markup {
  const totals = rowTotals(confusion);
  const most = confusion.cells
    .filter(([label, answer]) => label !== answer)
    .sort((a, b) => b[2] - a[2] || a[0] - b[0] || a[1] - b[1])
    .slice(0, 8);
  if (most.length === 0) return html`<p>No answer changed its class.</p>`;
  const held = confusion.cells
    .filter(([label, answer]) => label === answer)
    .reduce((sum, each) => sum + each[2], 0);
  const all = confusion.cells.reduce((sum, each) => sum + each[2], 0);
  return html`<div class="pairs"><h3>Most common falls</h3><ol>${most.map(
    ([label, answer, samples]) =>
      html`<li><span class="pair"><b>${className(names, label)}</b> → <b class="wrong">${className(names, answer)}</b></span> <span class="muted">${counted(samples, 'sample')}, ${percent(samples / totals.get(label)!)} of its class</span></li>`,
  )}</ol>${legend(['held', `${count(held)} right`], ['changed', `${count(all - held)} wrong`])}${confusion.classes <= GRID_CLASSES && html`<p class="muted small">The stronger the colour, the larger the share of the row.</p>`}</div>`;
}
